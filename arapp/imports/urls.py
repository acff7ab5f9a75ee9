from django.urls import path

from arapp.imports import acts, columns, files, views

urlpatterns = [
    path("imports/", views.imports_page, name="imports"),
    path("imports/new/", columns.import_new, name="import-new"),
    path("imports/template/<slug:kind>/", files.template, name="import-template"),
    path("imports/<slug:public_id>/", views.import_page, name="import"),
    path("imports/<slug:public_id>/progress/", views.import_progress, name="import-progress"),
    path("imports/<slug:public_id>/failed/", files.failed_rows, name="import-failed"),
    path("imports/<slug:public_id>/columns/", columns.import_columns, name="import-columns"),
    path("imports/<slug:public_id>/values/", columns.import_values, name="import-values"),
    path("imports/<slug:public_id>/reread/", columns.import_reread, name="import-reread"),
    path("imports/<slug:public_id>/choose/", acts.import_choose, name="import-choose"),
    path("imports/<slug:public_id>/run/", acts.import_run, name="import-run"),
    path("imports/<slug:public_id>/stop/", acts.import_stop, name="import-stop"),
    path("imports/<slug:public_id>/undo/", acts.import_undo, name="import-undo"),
    path("imports/<slug:public_id>/discard/", acts.import_discard, name="import-discard"),
]
