# The console in an image: not as root, its root file system read-only, what it keeps in one volume. docs/install.md
#
#   docker build -t event-console .
#
# The steps that can go wrong are in docker/install.sh, which is tested without Docker.

FROM python:3.11.14-slim-bookworm AS build
COPY . /source
RUN /source/docker/install.sh /opt/event-console

FROM python:3.11.14-slim-bookworm
COPY --from=build /opt/event-console /opt/event-console
# pg_dump and pg_restore, for event-console backup and restore where CONSOLE_DATABASE_URL is set.
RUN apt-get update && apt-get install --yes --no-install-recommends postgresql-client && rm -rf /var/lib/apt/lists/*
RUN useradd --uid 10001 --user-group --home-dir /data --no-create-home --shell /usr/sbin/nologin console \
    && install --directory --owner 10001 --group 10001 --mode 0700 /data
# Inside the container it listens at every address: what reaches it is decided where its port is published. It starts
# only with CONSOLE_PASSWORD, or with CONSOLE_UNPROTECTED=1 where something in front of it asks who is there.
ENV CONSOLE_DATA=/data CONSOLE_BIND=0.0.0.0 CONSOLE_PORT=8501 HOME=/data PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
VOLUME /data
EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=6s --start-period=60s --retries=3 \
    CMD ["/opt/event-console/bin/python", "/opt/event-console/bin/check_health.py"]
ENTRYPOINT ["/opt/event-console/bin/event-console"]
