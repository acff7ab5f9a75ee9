from django.urls import path

from portal import views

urlpatterns = [
    path("pay/d/<str:document>/", views.pay, name="pay"),
    path("pay/d/<str:document>/pdf/", views.pdf, name="pay-pdf"),
    path("pay/d/<str:document>/authenticate/<str:attempt>/", views.authenticate, name="pay-authenticate"),
    path("pay/d/<str:document>/give-up/<str:attempt>/", views.give_up, name="pay-give-up"),
    path("pay/<str:token>/", views.enter_link, name="pay-link"),
]
