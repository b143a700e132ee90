package exchange

import (
	"bytes"
	"cmp"
	"net/http"
	"strconv"

	"github.com/limpet-dev/limpet/pkg/filter"
	"github.com/limpet-dev/limpet/pkg/http1"
)

var (
	contentTypeName = []byte("Content-Type")
	grpcContentType = []byte("application/grpc")
	grpcStatusName  = []byte("Grpc-Status")
	grpcMessageName = []byte("Grpc-Message")
)

// The gRPC status codes that replace HTTP statuses.
const (
	grpcUnknown           = 2
	grpcPermissionDenied  = 7
	grpcResourceExhausted = 8
	grpcUnimplemented     = 12
	grpcInternal          = 13
	grpcUnavailable       = 14
	grpcUnauthenticated   = 16
)

// grpcStatus returns the gRPC status for an HTTP status, as in http-grpc-status-mapping.md of the gRPC documentation.
func grpcStatus(status int) int {
	switch status {
	case http.StatusBadRequest:
		return grpcInternal
	case http.StatusUnauthorized:
		return grpcUnauthenticated
	case http.StatusForbidden:
		return grpcPermissionDenied
	case http.StatusNotFound:
		return grpcUnimplemented
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return grpcUnavailable
	}
	return grpcUnknown
}

// isGRPC reports whether the client expects a gRPC response. gRPC needs HTTP/2 or later. gRPC-Web is another protocol.
func (x *Exchange) isGRPC() bool {
	if x.protocol == protocolHTTP1 {
		return false
	}
	return isGRPCContent(x.req.Get(http1.FieldContentType))
}

// isGRPCContent reports whether content is the Content-Type of a gRPC request.
func isGRPCContent(content []byte) bool {
	if !hasPrefixFold(content, string(grpcContentType)) {
		return false
	}
	rest := content[len(grpcContentType):]
	return len(rest) == 0 || bytes.IndexByte([]byte("+; \t"), rest[0]) >= 0
}

// protocolHTTP1 is the protocol of clients that cannot use gRPC.
const protocolHTTP1 = "HTTP/1.1"

// setGRPCHead makes the response a trailers-only gRPC response with the status and text of local. The body of local becomes
// Grpc-Message.
func (x *Exchange) setGRPCHead(local *filter.Response) {
	x.resp.Status, x.resp.KeepAlive = http.StatusOK, true
	x.resp.Body, x.resp.ContentLength = http1.BodyNone, -1
	for _, f := range grpcFields(local) {
		x.resp.AddField(f)
	}
}

// grpcFields returns the header fields of the trailers-only gRPC response that replaces local.
func grpcFields(local *filter.Response) []http1.Field {
	text := bytes.TrimSpace(local.Body)
	if len(text) == 0 {
		text = []byte(http.StatusText(local.Status))
	}
	fields := []http1.Field{
		newField(contentTypeName, grpcContentType),
		newField(grpcStatusName, strconv.AppendInt(nil, int64(cmp.Or(local.GRPCStatus, grpcStatus(local.Status))), 10)),
		newField(grpcMessageName, appendPercentEncoded(nil, text)),
	}
	for i := range local.Fields {
		if f := &local.Fields[i]; !bytes.EqualFold(f.Name, contentTypeName) {
			fields = append(fields, *f)
		}
	}
	return fields
}

func newField(name, value []byte) http1.Field {
	return http1.Field{Name: name, Value: value, ID: http1.NameID(name)}
}

// MemoryLimitHead returns the status and the header fields of the response to an HTTP/3 request that exceeds the memory budget,
// for which there is no Exchange. contentType is the Content-Type of the request.
func MemoryLimitHead(contentType []byte) (status int, fields []http1.Field) {
	if isGRPCContent(contentType) {
		return http.StatusOK, grpcFields(memoryLimit)
	}
	return memoryLimit.Status, []http1.Field{newField(retryAfterName, retryAfter)}
}

// appendPercentEncoded appends text as the value of Grpc-Message: printable ASCII except "%", and the rest percent-encoded.
func appendPercentEncoded(b, text []byte) []byte {
	const hex = "0123456789ABCDEF"
	for _, c := range text {
		if c < ' ' || c > '~' || c == '%' {
			b = append(b, '%', hex[c>>4], hex[c&15])
			continue
		}
		b = append(b, c)
	}
	return b
}
