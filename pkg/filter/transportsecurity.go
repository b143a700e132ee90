package exchange

import (
	"github.com/limpet-dev/limpet/pkg/http1"
)

var strictTransportSecurity = []byte("Strict-Transport-Security")

// addTransportSecurity tells browsers to come back over TLS only, where the route has something to say about that. It is
// said over TLS only (RFC 6797 section 7.2), be it that of a trusted proxy, and what the app says gives way: browsers go
// by the first of several (section 8.1).
func (x *Exchange) addTransportSecurity() {
	if x.route == nil || len(x.route.TransportSecurity) == 0 || x.said(http1.FieldXForwardedProto, x.scheme()) != "https" {
		return
	}
	x.resp.Set(strictTransportSecurity, x.route.TransportSecurity)
}
