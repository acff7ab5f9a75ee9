from django.urls import path

from customers.views import lists, pages

urlpatterns = [
    path("customers/", lists.customers_page, name="customers"),
    path("customers/csv/", lists.customers_csv, name="customers-csv"),
    path("customers/new/", pages.customer_new, name="customer-new"),
    path("customers/<slug:public_id>/", pages.customer_page, name="customer"),
    path("customers/<slug:public_id>/edit/", pages.customer_edit, name="customer-edit"),
    path("customers/<slug:public_id>/archive/", pages.customer_archive, name="customer-archive"),
    path("customers/<slug:public_id>/restore/", pages.customer_restore, name="customer-restore"),
    path("customers/<slug:public_id>/messages/", pages.customer_messages, name="customer-messages"),
    path("customers/<slug:public_id>/card/", pages.card_link, name="customer-card-link"),
    path(
        "customers/<slug:public_id>/card/<slug:method_id>/remove/",
        pages.card_remove,
        name="customer-card-remove",
    ),
    path("customers/<slug:public_id>/contacts/", pages.contact_add, name="contact-add"),
    path(
        "customers/<slug:public_id>/contacts/<slug:contact_id>/remove/",
        pages.contact_remove,
        name="contact-remove",
    ),
]
