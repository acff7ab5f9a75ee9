# The product as one image for web, worker, beat and migrations.

FROM node:22-bookworm-slim AS pages
WORKDIR /src/frontend
COPY frontend/package.json frontend/package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY frontend/ ./
# The build fails on an icon that a template asks for and nobody has.
COPY templates/ ../templates/
RUN npm run build

FROM python:3.12-slim-bookworm AS packages
WORKDIR /src
COPY pyproject.toml requirements.lock ./
COPY deploy/runtime_lock.py deploy/
RUN python deploy/runtime_lock.py > runtime.lock \
    && python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps --require-hashes -r runtime.lock

FROM python:3.12-slim-bookworm
RUN apt-get update \
    && apt-get install -y --no-install-recommends libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin app \
    && install -d -o app -g app /media
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/tmp \
    MEDIA_ROOT=/media
WORKDIR /app
COPY --from=packages /venv /venv
COPY . .
COPY --from=pages /src/static/dist static/dist
# Values only for this one command, which connects to nothing.
RUN SECRET_KEY=for-this-step-only MASTER_KEYS=none:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= DATABASE_URL=postgres://app@localhost/app REDIS_URL=redis://localhost \
    python manage.py collectstatic --noinput -v0
USER app
EXPOSE 8000
CMD ["gunicorn", "arapp.wsgi", "--bind=0.0.0.0:8000", "--worker-class=gthread", "--workers=2", "--threads=4", "--worker-tmp-dir=/dev/shm", "--access-logfile=-", "--no-control-socket"]
