"""Photos of visits as they are shown."""

from django.http import HttpResponse

from operations.services.stored_file import stored_file_read
from visits.models import VisitPhoto


def photo_response(photo: VisitPhoto) -> HttpResponse:
    """A photo, decrypted, to be shown in the page and kept nowhere on the way."""
    response = HttpResponse(stored_file_read(stored=photo.file), content_type="image/jpeg")
    response["Content-Disposition"] = f'inline; filename="{photo.pk}.jpg"'
    response["Cache-Control"] = "no-store"
    response["X-Content-Type-Options"] = "nosniff"
    return response
