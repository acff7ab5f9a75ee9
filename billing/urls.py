from django.urls import path

from billing.views import changes, prices, runs, subscriptions, usage

urlpatterns = [
    path("plans/", prices.plans_page, name="plans"),
    path("plans/new/", prices.price_new, name="price-new"),
    path("plans/typed/", prices.price_typed, name="price-typed"),
    path("plans/prices/<slug:public_id>/", prices.price_page, name="price"),
    path("plans/prices/<slug:public_id>/quote/", prices.price_quote, name="price-quote"),
    path("plans/prices/<slug:public_id>/retire/", prices.price_retire, name="price-retire"),
    path("subscriptions/", subscriptions.subscriptions_page, name="subscriptions"),
    path("subscriptions/new/", subscriptions.subscription_new, name="subscription-new"),
    path("subscriptions/<slug:public_id>/", subscriptions.subscription_page, name="subscription"),
    path(
        "subscriptions/<slug:public_id>/release/",
        subscriptions.subscription_release,
        name="subscription-release",
    ),
    path("subscriptions/<slug:public_id>/end/", subscriptions.subscription_end, name="subscription-end"),
    path("subscriptions/<slug:public_id>/change/", changes.subscription_change, name="subscription-change"),
    path("subscriptions/<slug:public_id>/change/preview/", changes.change_preview, name="change-preview"),
    path("subscriptions/<slug:public_id>/change/revoke/", changes.change_revoke, name="change-revoke"),
    path("subscriptions/<slug:public_id>/items/", changes.item_add, name="item-add"),
    path("subscriptions/<slug:public_id>/items/<slug:item>/end/", changes.item_end, name="item-end"),
    path("subscriptions/<slug:public_id>/usage/", usage.usage_page, name="subscription-usage"),
    path("usage/", usage.meters_page, name="meters"),
    path("usage/new/", usage.meter_new, name="meter-new"),
    path("usage/events/", usage.events_page, name="usage-events"),
    path("usage/meters/<slug:public_id>/", usage.meter_page, name="meter"),
    path("usage/meters/<slug:public_id>/archive/", usage.meter_archive, name="meter-archive"),
    path("runs/", runs.runs_page, name="runs"),
    path("runs/start/", runs.run_start, name="run-start"),
    path("runs/preview/", runs.preview_of_run, name="run-preview"),
    path("runs/<slug:public_id>/", runs.run_page, name="run"),
    path("runs/<slug:public_id>/progress/", runs.run_progress, name="run-progress"),
]
