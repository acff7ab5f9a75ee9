from django.urls import path

from portal import cards, subscriptions, views

urlpatterns = [
    path("pay/d/<str:target>/", views.pay, name="pay"),
    path("pay/d/<str:target>/pdf/", views.pdf, name="pay-pdf"),
    path("pay/d/<str:target>/authenticate/<str:attempt>/", views.authenticate, name="pay-authenticate"),
    path("pay/d/<str:target>/give-up/<str:attempt>/", views.give_up, name="pay-give-up"),
    path("pay/<str:token>/", views.enter_link, name="pay-link"),
    path("subscription/s/<str:target>/", subscriptions.own_subscription, name="own-subscription"),
    path("card/c/<str:target>/", cards.own_card, name="own-card"),
    path("card/<str:token>/", cards.enter_link, name="card-link"),
    path("subscription/s/<str:target>/card/", subscriptions.card, name="own-subscription-card"),
    path("subscription/<str:token>/", subscriptions.enter_link, name="own-link"),
]
