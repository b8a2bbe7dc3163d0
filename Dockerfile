# One image for every process of ours and of the sandbox; the command says which. NOT BUILT HERE: no container engine on the machines that
# tested it (docs/decisions/0011-containers.md); a test compares what it copies and names with the tree.
FROM python:3.11-slim AS build
WORKDIR /build
RUN python -m venv /venv
COPY requirements.lock ./
# Every file of every dependency is named by its hash.
RUN /venv/bin/pip install --no-cache-dir --require-hashes --only-binary :all: -r requirements.lock

FROM python:3.11-slim
# Payout delivers files by OpenSSH's own sftp (docs/decisions/0014-files-out.md).
RUN apt-get update && apt-get install -y --no-install-recommends openssh-client && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --create-home ansinh
WORKDIR /app
COPY --from=build /venv /venv
COPY shared ./shared
COPY services ./services
COPY sandbox ./sandbox
COPY deploy ./deploy
COPY ansinh ./ansinh
# Volumes take the owner of the folder they are first mounted on.
RUN install -d -o ansinh -g ansinh /app/.ansinh /app/.ansinh/compose /app/.ansinh/compose/keys /app/.ansinh/compose/files /app/.ansinh/compose/truth
# One arena: threads take turns at the interpreter anyway, and every arena of its own keeps what was freed in it.
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 MALLOC_ARENA_MAX=1
USER ansinh
CMD ["python", "-m", "ansinh", "--help"]
