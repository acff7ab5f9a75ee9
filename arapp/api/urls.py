from django.urls import path

from arapp.api import feed, imports, sandbox, work

urlpatterns = [
    path("import_kinds", imports.ImportKinds.as_view(), name="api-import-kinds"),
    path("imports", imports.Imports.as_view(), name="api-imports"),
    path("imports/<slug:public_id>", imports.OneImport.as_view(), name="api-import"),
    path("imports/<slug:public_id>/rows", imports.ImportRows.as_view(), name="api-import-rows"),
    path(
        "imports/<slug:public_id>/failed_rows", imports.ImportFailedRows.as_view(), name="api-import-failed"
    ),
    path("imports/<slug:public_id>/values", imports.ImportValues.as_view(), name="api-import-values"),
    path("imports/<slug:public_id>/read", imports.ImportRead.as_view(), name="api-import-read"),
    path("imports/<slug:public_id>/check", imports.ImportCheck.as_view(), name="api-import-check"),
    path("imports/<slug:public_id>/run", imports.ImportRun.as_view(), name="api-import-run"),
    path("imports/<slug:public_id>/stop", imports.ImportStop.as_view(), name="api-import-stop"),
    path("imports/<slug:public_id>/undo", imports.ImportUndo.as_view(), name="api-import-undo"),
    path("imports/<slug:public_id>/discard", imports.ImportDiscard.as_view(), name="api-import-discard"),
    path("jobs/<slug:public_id>", work.OneJob.as_view(), name="api-job"),
    path("jobs/<slug:public_id>/cancel", work.JobCancel.as_view(), name="api-job-cancel"),
    path("sandbox", sandbox.Sandbox.as_view(), name="api-sandbox"),
    path("sandbox/copy", sandbox.SandboxCopy.as_view(), name="api-sandbox-copy"),
    path("sandbox/clock", sandbox.SandboxClockApi.as_view(), name="api-sandbox-clock"),
    path("sandbox/clock/advance", sandbox.ClockAdvanceApi.as_view(), name="api-sandbox-clock-advance"),
    path("events", feed.Events.as_view(), name="api-events"),
    path("events/<slug:public_id>", feed.OneEvent.as_view(), name="api-event"),
]
