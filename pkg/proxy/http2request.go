package proxy

import (
	"context"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"

	"github.com/limpet-dev/limpet/pkg/http1"
)

// request is the request as net/http sends it to the pod.
func (a *http2Attempt) request(ctx context.Context) *http.Request {
	x := a.x
	r := &http.Request{
		Method:        string(x.req.Method),
		URL:           x.podURL(),
		Host:          string(x.req.Host),
		Header:        x.podHeader(),
		ContentLength: max(0, x.req.ContentLength),
	}
	if x.req.Body != http1.BodyNone {
		r.ContentLength = x.req.ContentLength
		r.GetBody = x.upload.open
		r.Body, _ = x.upload.open() // nil where the body of an earlier attempt is gone: then decideNext has given up
		r.Trailer = x.announcedTrailers()
	}
	return r.WithContext(httptrace.WithClientTrace(ctx, a.trace()))
}

// podURL says where to go, and in Opaque, which is taken as it is, what to ask for.
func (x *exchange) podURL() *url.URL {
	u := &url.URL{Scheme: "http", Host: x.endpoint.Address, RawQuery: string(x.req.Query), ForceQuery: x.req.HasQuery}
	if x.backend.Transport.TLS {
		u.Scheme = "https"
	}
	u.Opaque = "*"
	if string(x.path) != "*" {
		// In full, because net/http takes what begins with two slashes for a host. It cuts this off again.
		u.Opaque = u.Scheme + "://" + string(x.req.Host) + string(x.path)
	}
	return u
}

// podHeader is what appendFields writes, in the form that net/http takes.
func (x *exchange) podHeader() http.Header {
	x.out.Begin()
	x.out.Buf = x.appendFields(x.out.Buf)
	header := parseFields(string(x.out.Buf))
	x.out.Drop()
	if x.req.TakesTrailers {
		header["Te"] = []string{"trailers"}
	}
	if _, ok := header["User-Agent"]; !ok {
		header["User-Agent"] = []string{""} // net/http would make one up
	}
	return header
}

// parseFields reads fields that were written here, and are well-formed.
func parseFields(text string) http.Header {
	header := make(http.Header, 16)
	for line := range strings.SplitSeq(strings.TrimSuffix(text, "\r\n"), "\r\n") {
		name, value, _ := strings.Cut(line, ": ")
		name = http.CanonicalHeaderKey(name)
		header[name] = append(header[name], value)
	}
	return header
}

// announcedTrailers are the trailers that the client says will come. The values are set when they have.
func (x *exchange) announcedTrailers() http.Header {
	trailers := http.Header{}
	for i := range x.req.Fields {
		if x.req.Fields[i].ID != http1.FieldTrailer {
			continue
		}
		for name := range strings.SplitSeq(string(x.req.Fields[i].Value), ",") {
			name = http.CanonicalHeaderKey(strings.Trim(name, " \t"))
			field := http1.Field{Name: []byte(name), ID: http1.NameID([]byte(name))}
			if name != "" && http1.ForwardTrailer(&field, &x.req.Message) {
				trailers[name] = nil
			}
		}
	}
	x.upload.trailers = trailers
	return trailers
}
