from django.urls import path

from customers.api import methods, views

urlpatterns = [
    path("customers", views.Customers.as_view(), name="api-customers"),
    path(
        "customers/external/<str:external_id>",
        views.CustomerByExternalId.as_view(),
        name="api-customer-external",
    ),
    path("customers/<slug:public_id>", views.OneCustomer.as_view(), name="api-customer"),
    path("customers/<slug:public_id>/archive", views.CustomerArchive.as_view(), name="api-customer-archive"),
    path("customers/<slug:public_id>/restore", views.CustomerRestore.as_view(), name="api-customer-restore"),
    path("customers/<slug:public_id>/balance", views.CustomerBalance.as_view(), name="api-customer-balance"),
    path("customers/<slug:public_id>/card_link", methods.CardLink.as_view(), name="api-customer-card-link"),
    path("payment_methods", methods.PaymentMethods.as_view(), name="api-payment-methods"),
    path("payment_methods/<slug:method>", methods.OnePaymentMethod.as_view(), name="api-payment-method"),
    path("customers/<slug:public_id>/contacts", views.Contacts.as_view(), name="api-contacts"),
    path(
        "customers/<slug:public_id>/contacts/<slug:contact_id>",
        views.OneContact.as_view(),
        name="api-contact",
    ),
]
