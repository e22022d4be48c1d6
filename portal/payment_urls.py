"""Routes of batches, payments, the bank, the ledger and public notices."""

from django.urls import URLPattern, URLResolver, path

from portal.views import (
    bank,
    batch_new,
    batch_steps,
    batches,
    budgets,
    ledger,
    notices,
    objections,
    payments,
    reconciliation,
    terms,
    unpaid,
)

LINE = "payments/<int:pk>/lines/<int:number>/"

pages: list[URLPattern | URLResolver] = [
    path("payments/", batches.batch_list, name="batch-list"),
    path("payments/new/", batch_new.batch_new, name="batch-new"),
    path("payments/reconciliation/", reconciliation.reconciliation, name="reconciliation"),
    path("payments/<int:pk>/results/", reconciliation.bank_results, name="bank-results"),
    path("payments/ledger/", ledger.ledger, name="ledger"),
    path("payments/ledger/export.<file:kind>", ledger.ledger_export, name="ledger-export"),
    path("payments/budget/", budgets.budget, name="budget"),
    path("payments/terms/", terms.terms_list, name="terms-list"),
    path("payments/terms/<int:item_id>/", terms.terms_edit, name="terms-edit"),
    path("payments/<int:pk>/", batches.batch_detail, name="batch-detail"),
    path("payments/<int:pk>/submit/", batch_steps.submit, name="batch-submit"),
    path("payments/<int:pk>/discard/", batch_steps.discard, name="batch-discard"),
    path("payments/<int:pk>/check/", batch_steps.check, name="batch-check"),
    path("payments/<int:pk>/approve/", batch_steps.approve, name="batch-approve"),
    path("payments/<int:pk>/reject/", batch_steps.reject, name="batch-reject"),
    path("payments/<int:pk>/confirm/", batch_steps.confirm, name="batch-confirm"),
    path("payments/<int:pk>/send/", batch_steps.send, name="batch-send"),
    path("payments/<int:pk>/close/", batch_steps.close, name="batch-close"),
    path("payments/<int:pk>/file/", bank.file_start, name="bank-file"),
    path("payments/<int:pk>/file/download/", bank.file_download, name="bank-download"),
    path("payments/<int:pk>/file/discard/", bank.file_discard, name="bank-discard"),
    path("payments/<int:pk>/returns/", bank.return_upload, name="return-upload"),
    path("payments/<int:pk>/returns/<int:file_id>/", bank.return_detail, name="return-detail"),
    path("payments/<int:pk>/reissue/", unpaid.reissue, name="batch-reissue"),
    path("payments/<int:pk>/unpaid/", unpaid.unpaid_list, name="unpaid-list"),
    path("payments/<int:pk>/unpaid/cancel/", unpaid.unpaid_give_up, name="unpaid-cancel"),
    path("payments/<int:pk>/lines/", payments.payment_list, name="payment-list"),
    path("payments/<int:pk>/lines/find/", payments.payments_find, name="payment-find"),
    path("payments/<int:pk>/lines/export.<file:kind>", payments.payment_export, name="payment-export"),
    path(LINE, payments.payment_detail, name="payment-detail"),
    path(f"{LINE}hold/", objections.hold, name="payment-hold"),
    path(f"{LINE}release/", objections.release, name="payment-release"),
    path(f"{LINE}objection/", objections.record, name="objection-record"),
    path(f"{LINE}objection/<int:objection_id>/", objections.decide, name="objection-decide"),
]

#: open to everyone, beside the doors
doors: list[URLPattern | URLResolver] = [
    path("public/notices/<uuid:key>/", notices.notice, name="notice"),
]
