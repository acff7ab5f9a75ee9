#!/bin/sh
# Writes the secrets that docker-compose.yml expects; those that are there stay as they are.
set -eu
umask 077
folder="$(cd "$(dirname "$0")" && pwd)/secrets"
mkdir -p "$folder"

random() {
    # Letters and digits only: they stand in addresses.
    LC_ALL=C tr -dc 'A-Za-z0-9' </dev/urandom | head -c 48
}

keep() {
    [ -s "$folder/$1" ] || printf '%s' "$2" >"$folder/$1"
}

keep master-keys "first:$(head -c 32 /dev/urandom | base64 | tr -d '\n')"
keep secret-key "$(random)$(random)"
for name in postgres owner app valkey; do
    keep "$name-password" "$(random)"
done
keep email-password ""
keep database-owner-url "postgres://arapp_owner:$(cat "$folder/owner-password")@db:5432/arapp"
keep database-url "postgres://arapp_app:$(cat "$folder/app-password")@db:5432/arapp"
keep redis-url "redis://:$(cat "$folder/valkey-password")@valkey:6379/0"
# Containers run as users of their own and must be able to read what they are given; the folder keeps others out.
chmod 700 "$folder"
chmod 444 "$folder"/*
echo "secrets are in $folder"
