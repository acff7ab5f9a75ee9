from django.urls import path

from billing.api import discounts, features, lifecycle, prices, revenue, runs, timeline, usage, views

urlpatterns = [
    path("plans", prices.Plans.as_view(), name="api-plans"),
    path("prices", prices.Prices.as_view(), name="api-prices"),
    path("prices/<slug:public_id>", prices.OnePrice.as_view(), name="api-price"),
    path("prices/<slug:public_id>/quote", prices.PriceQuote.as_view(), name="api-price-quote"),
    path("prices/<slug:public_id>/retire", prices.PriceRetire.as_view(), name="api-price-retire"),
    path("coupons", discounts.Coupons.as_view(), name="api-coupons"),
    path("coupons/<slug:public_id>", discounts.OneCoupon.as_view(), name="api-coupon"),
    path("coupons/<slug:public_id>/archive", discounts.CouponArchive.as_view(), name="api-coupon-archive"),
    path(
        "subscriptions/<slug:public_id>/discounts",
        discounts.SubscriptionDiscounts.as_view(),
        name="api-subscription-discounts",
    ),
    path(
        "subscription_discounts/<slug:public_id>/end",
        discounts.SubscriptionDiscountEnd.as_view(),
        name="api-subscription-discount-end",
    ),
    path("plans/<str:plan>/features", features.PlanFeatures.as_view(), name="api-plan-features"),
    path("features", features.Features.as_view(), name="api-features"),
    path("features/<slug:feature>", features.OneFeature.as_view(), name="api-feature"),
    path("features/<slug:feature>/retire", features.FeatureRetire.as_view(), name="api-feature-retire"),
    path(
        "customers/external/<str:external_id>/entitlements",
        features.ExternalEntitlements.as_view(),
        name="api-external-entitlements",
    ),
    path(
        "customers/external/<str:external_id>/entitlements/<slug:feature>",
        features.ExternalEntitlement.as_view(),
        name="api-external-entitlement",
    ),
    path(
        "customers/<slug:public_id>/entitlements",
        features.CustomerEntitlements.as_view(),
        name="api-customer-entitlements",
    ),
    path(
        "customers/<slug:public_id>/entitlements/<slug:feature>",
        features.CustomerEntitlement.as_view(),
        name="api-customer-entitlement",
    ),
    path("quotes", prices.Quotes.as_view(), name="api-quotes"),
    path(
        "subscription_items/<slug:public_id>/end",
        views.SubscriptionItemEnd.as_view(),
        name="api-subscription-item-end",
    ),
    path("subscriptions", views.Subscriptions.as_view(), name="api-subscriptions"),
    path("subscriptions/<slug:public_id>", views.OneSubscription.as_view(), name="api-subscription"),
    path("subscriptions/<slug:public_id>/end", views.SubscriptionEnd.as_view(), name="api-subscription-end"),
    path(
        "subscriptions/<slug:public_id>/end/preview",
        lifecycle.SubscriptionEndPreview.as_view(),
        name="api-subscription-end-preview",
    ),
    path(
        "subscriptions/<slug:public_id>/pause",
        lifecycle.SubscriptionPause.as_view(),
        name="api-subscription-pause",
    ),
    path(
        "subscriptions/<slug:public_id>/pause/preview",
        lifecycle.SubscriptionPausePreview.as_view(),
        name="api-subscription-pause-preview",
    ),
    path(
        "subscriptions/<slug:public_id>/resume",
        lifecycle.SubscriptionResume.as_view(),
        name="api-subscription-resume",
    ),
    path(
        "subscriptions/<slug:public_id>/reactivate",
        lifecycle.SubscriptionReactivate.as_view(),
        name="api-subscription-reactivate",
    ),
    path(
        "subscriptions/<slug:public_id>/change",
        views.SubscriptionChange.as_view(),
        name="api-subscription-change",
    ),
    path(
        "subscriptions/<slug:public_id>/change/preview",
        views.SubscriptionChangePreview.as_view(),
        name="api-subscription-change-preview",
    ),
    path(
        "subscriptions/<slug:public_id>/change/revoke",
        views.SubscriptionChangeRevoke.as_view(),
        name="api-subscription-change-revoke",
    ),
    path(
        "subscriptions/<slug:public_id>/items",
        views.SubscriptionItems.as_view(),
        name="api-subscription-items",
    ),
    path(
        "subscriptions/<slug:public_id>/release",
        views.SubscriptionRelease.as_view(),
        name="api-subscription-release",
    ),
    path(
        "subscriptions/<slug:public_id>/upcoming",
        views.SubscriptionUpcoming.as_view(),
        name="api-subscription-upcoming",
    ),
    path(
        "subscriptions/<slug:public_id>/timeline",
        timeline.SubscriptionTimeline.as_view(),
        name="api-subscription-timeline",
    ),
    path(
        "subscriptions/<slug:public_id>/usage",
        usage.SubscriptionUsage.as_view(),
        name="api-subscription-usage",
    ),
    path(
        "subscriptions/<slug:public_id>/entitlements",
        features.SubscriptionEntitlements.as_view(),
        name="api-subscription-entitlements",
    ),
    path(
        "subscriptions/<slug:public_id>/feature_overrides",
        features.FeatureOverrides.as_view(),
        name="api-feature-overrides",
    ),
    path(
        "subscriptions/<slug:public_id>/feature_overrides/<slug:feature>",
        features.OneFeatureOverride.as_view(),
        name="api-feature-override",
    ),
    path("meters", usage.Meters.as_view(), name="api-meters"),
    path("meters/<slug:public_id>", usage.OneMeter.as_view(), name="api-meter"),
    path("meters/<slug:public_id>/archive", usage.MeterArchive.as_view(), name="api-meter-archive"),
    path("usage_alerts", usage.UsageAlerts.as_view(), name="api-usage-alerts"),
    path(
        "usage_alerts/<slug:public_id>/archive",
        usage.UsageAlertArchive.as_view(),
        name="api-usage-alert-archive",
    ),
    path("usage_events", usage.UsageEvents.as_view(), name="api-usage-events"),
    path("usage_events/batch", usage.UsageEventsBatch.as_view(), name="api-usage-events-batch"),
    path("usage_events/void", usage.UsageEventsVoid.as_view(), name="api-usage-events-void"),
    path("billing_runs", runs.BillingRuns.as_view(), name="api-billing-runs"),
    path("billing_runs/preview", runs.BillingRunPreview.as_view(), name="api-billing-run-preview"),
    path("billing_runs/<slug:public_id>", runs.OneBillingRun.as_view(), name="api-billing-run"),
    path("mrr", revenue.RecurringRevenue.as_view(), name="api-mrr"),
    path("mrr_movements", revenue.MrrMovements.as_view(), name="api-mrr-movements"),
]
