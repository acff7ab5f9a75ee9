from django.urls import path

from receivables import views

urlpatterns = [
    path("ageing/", views.ageing_page, name="ageing"),
    path("ageing/dso/", views.dso_page, name="dso"),
    path("customers/<slug:public_id>/habits/", views.customer_habits, name="customer-habits"),
    path("customers/<slug:public_id>/deposit/", views.customer_deposit, name="customer-deposit"),
]
