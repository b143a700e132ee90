# One static binary and the certificate authorities that ExternalName backends over TLS are checked against. Nothing
# else is in the image: no shell, no libc, no package to patch. hack/image reads the last stage, too.
#
# The build stage is pinned by tag: the digest of the image is known only to a registry, and this project is built without one.
# Nothing of that image runs in the result, which starts from scratch and contains the binary and the certificate authorities
# only. hack/image builds the same image without any base image, with the toolchain that go.mod names and go.sum verifies.
FROM --platform=$BUILDPLATFORM golang:1.26.11 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=dev TARGETARCH
RUN VERSION=${VERSION} GOARCH=${TARGETARCH} hack/build.sh /limpet

FROM scratch
ARG VERSION=dev
LABEL org.opencontainers.image.title=limpet
LABEL org.opencontainers.image.description="Kubernetes ingress controller that returns every client to its own pod"
LABEL org.opencontainers.image.version=${VERSION}
LABEL org.opencontainers.image.source=https://github.com/limpet-dev/limpet
LABEL org.opencontainers.image.licenses=Apache-2.0
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /limpet /limpet
# Numeric, so that the kubelet can verify that it is not root (runAsNonRoot).
USER 65532:65532
EXPOSE 8080 8443 9090
ENTRYPOINT ["/limpet"]
CMD ["run"]
