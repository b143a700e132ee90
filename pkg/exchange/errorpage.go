package exchange

import (
	"bytes"
	"io"
	"net/http"

	"github.com/limpet-dev/limpet/pkg/filter"
	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/model"
)

// sessionFields are the parts of a pod's response that bind the session. They stay when an error page replaces the response, and
// so do the fields of a response of Limpet.
type sessionFields struct {
	setCookie []byte
	fields    []http1.Field
}

// replacesResponse reports whether an error page replaces the pod's response.
func (x *Exchange) replacesResponse() bool {
	return !x.isFallback && x.route.ErrorPages.Replaces(x.resp.Status, false) && x.webSocketAccept == nil && !x.isGRPC()
}

// takeSessionFields binds the session to the endpoint that responded, and returns copies of what that adds to the response.
func (x *Exchange) takeSessionFields() sessionFields {
	own := len(x.resp.Fields)
	x.bindSession(&x.request, &x.resp, x.endpoint)
	kept := sessionFields{setCookie: bytes.Clone(x.resp.SetCookie)}
	for _, f := range x.resp.Fields[own:] {
		kept.fields = append(kept.fields, http1.Field{Name: bytes.Clone(f.Name), Value: bytes.Clone(f.Value), ID: f.ID})
	}
	return kept
}

// replaceResponse replaces the pod's response by an error page. Its own response is discarded.
func (x http1Attempt) replaceResponse() {
	status, kept := x.resp.Status, x.takeSessionFields()
	if x.discardBody() {
		x.body.wait()
		x.upstream = nil
		x.keepConn()
	} else {
		x.abortAttempt(x.conn)
	}
	x.respondPage(status, kept)
}

// discardBody reads the part of the response's body that has arrived. It reports whether that is all, so that the connection
// can carry another request.
func (x http1Attempt) discardBody() bool {
	const most = 64 << 10
	x.respBody.Begin(x.conn.Conn, &x.resp.Message, &x.Engine.Limits)
	for n := 0; n < most; {
		span, err := x.respBody.Next(false)
		n += len(span)
		if err == io.EOF {
			return x.respBody.Done() && x.body.isSent() && x.isReusable()
		}
		if err != nil {
			return false
		}
	}
	return false
}

// replaceResponse replaces the pod's response by an error page.
func (x http2Attempt) replaceResponse() {
	status, kept := x.resp.Status, x.takeSessionFields()
	x.abortAttempt(upstreamStream{x.stream})
	x.respondPage(status, kept)
}

// respondPage sends the error page for a status.
func (x *Exchange) respondPage(status int, kept sessionFields) {
	x.kept = kept
	x.respond(x.errorPage(status))
	x.kept = sessionFields{}
	x.returnPage()
}

// errorPage returns the error page for a status, or a plain response if memory is short. returnPage must be called later.
func (x *Exchange) errorPage(status int) *filter.Response {
	if !x.Account.Take(filter.MaxPageBytes) {
		return filter.NewText(status, http.StatusText(status)+".")
	}
	x.chargedPage = true
	var pool model.PoolID
	if x.backend != nil {
		pool = x.backend.Pool.ID
	}
	return x.route.ErrorPages.Page(&x.view, status, pool)
}

// returnPage returns the memory of an error page.
func (x *Exchange) returnPage() {
	if x.chargedPage {
		x.Account.Return(filter.MaxPageBytes)
		x.chargedPage = false
	}
}

// respondLocal sends a response because no pod has responded, or the error page for its status. As in nginx, that includes the
// responses of filters. A page has their challenges too, so that browsers request credentials. A closed route has no pages, whose
// status could be another one.
func (x *Exchange) respondLocal(local *filter.Response) {
	hasPages := x.route != nil && !x.route.Closed && !x.isFallback && !x.isGRPC()
	if !hasPages || !x.route.ErrorPages.Replaces(local.Status, true) {
		x.respond(local)
		return
	}
	if local.Close {
		x.req.KeepAlive = false
	}
	var kept sessionFields
	for i := range local.Fields {
		if f := &local.Fields[i]; !http1.EqualFold(f.Name, "Content-Type") {
			kept.fields = append(kept.fields, *f)
		}
	}
	x.respondPage(local.Status, kept)
}

// useFallback makes the fallback of the route serve the request if the chosen backend, which may be nil, has no endpoints.
func (s *selection) useFallback(r *request) bool {
	fallback := s.route.Fallback
	if fallback == nil || s.backend != nil && s.backend.Pool.Set().Len() > 0 || fallback.Pool.Set().Len() == 0 {
		return false
	}
	var pool model.PoolID
	if s.backend != nil {
		pool = s.backend.Pool.ID
	}
	r.view.SetErrorFields(noPod.Status, s.route.Source, pool)
	s.backend, s.isFallback = fallback, true
	return true
}
