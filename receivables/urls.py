from django.urls import path

from receivables import views

urlpatterns = [
    path("ageing/", views.ageing_page, name="ageing"),
    path("ageing/dso/", views.dso_page, name="dso"),
]
