from django.urls import path

from arapp.api import feed, work

urlpatterns = [
    path("imports", work.Imports.as_view(), name="api-imports"),
    path("imports/<slug:public_id>", work.OneImport.as_view(), name="api-import"),
    path("imports/<slug:public_id>/rows", work.ImportRows.as_view(), name="api-import-rows"),
    path("jobs/<slug:public_id>", work.OneJob.as_view(), name="api-job"),
    path("jobs/<slug:public_id>/cancel", work.JobCancel.as_view(), name="api-job-cancel"),
    path("events", feed.Events.as_view(), name="api-events"),
    path("events/<slug:public_id>", feed.OneEvent.as_view(), name="api-event"),
]
