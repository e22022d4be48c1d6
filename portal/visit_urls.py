"""Routes of the pages on which township and county staff see that everybody is visited."""

from django.urls import URLPattern, URLResolver, path

from portal.views import tiers, visit_assign, visit_entry, visit_import, visit_people

pages: list[URLPattern | URLResolver] = [
    path("visits/<month:month>/people/", visit_people.visit_people, name="visit-people"),
    path("visits/<month:month>/people/find/", visit_people.visit_people_find, name="visit-people-find"),
    path(
        "visits/<month:month>/people/export.<file:kind>",
        visit_people.visit_people_export,
        name="visit-people-export",
    ),
    path("visits/<month:month>/people/paper.pdf", visit_people.visit_people_paper, name="visit-people-paper"),
    path("visits/<month:month>/people/urge/", visit_people.visit_people_urge, name="visit-people-urge"),
    path("visits/<month:month>/people/assign/", visit_assign.visit_assign, name="visit-assign"),
    path("visits/people/<int:pk>/phone/", visit_people.visit_phone, name="visit-phone"),
    path("visits/workers/", visit_assign.visit_workers, name="visit-workers"),
    path("visits/workers/<int:pk>/hand-over/", visit_assign.visit_hand_over, name="visit-hand-over"),
    path("visits/villages/<str:code>/assign/", visit_assign.visit_village, name="visit-village"),
    path("visits/<month:month>/entry/", visit_entry.visit_entry, name="visit-entry"),
    path("visits/import/", visit_import.visit_import, name="visit-import"),
    path("visits/import/template/", visit_import.visit_template, name="visit-template"),
    path("visits/tiers/", tiers.tier_list, name="tier-list"),
    path("visits/tiers/counts/", tiers.tier_counts, name="tier-counts"),
    path("visits/tiers/new/", tiers.tier_edit, name="tier-new"),
    path("visits/tiers/preview/", tiers.tier_preview, name="tier-preview"),
    path("visits/tiers/versions/<int:pk>/undo/", tiers.tier_undo, name="tier-undo"),
    path("visits/tiers/<slug:code>/edit/", tiers.tier_edit, name="tier-edit"),
    path("visits/tiers/<slug:code>/stop/", tiers.tier_stop, name="tier-stop"),
]
