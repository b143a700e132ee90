# One static binary and the certificate authorities that ExternalName backends over TLS are checked against. Nothing
# else is in the image: no shell, no libc, no package to patch.
FROM golang:1.26.11 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=dev
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=${VERSION}" -o /limpet ./cmd/limpet

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /limpet /limpet
# Numeric, so that the kubelet can tell that it is not root (runAsNonRoot).
USER 65532:65532
EXPOSE 8080 8443 9090
ENTRYPOINT ["/limpet"]
CMD ["run"]
