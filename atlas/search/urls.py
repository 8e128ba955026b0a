"""The address of the search over all datasets."""

from django.urls import path

from atlas.search import views

app_name = "search"

urlpatterns = [path("search", views.search_page, name="page")]
