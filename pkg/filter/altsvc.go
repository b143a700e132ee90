package exchange

import "bytes"

var (
	altSvc        = []byte("Alt-Svc")
	altSvcDefault = []byte(`h3=":443"; ma=3600`)
)

// addAltSvc lets a client of HTTPS know that there is HTTP/3 (RFC 7838), at the port that it knows Limpet by: what is in
// front of Limpet leads there from the same one. What an app says of services gives way, since they would be others.
func (x *Exchange) addAltSvc() {
	if x.TLS == nil || !x.Engine.AdvertiseHTTP3.Load() {
		return
	}
	_, port, ok := bytes.Cut(x.req.Host[bytes.LastIndexByte(x.req.Host, ']')+1:], []byte(":"))
	if !ok || len(port) == 0 {
		x.resp.Set(altSvc, altSvcDefault)
		return
	}
	start := len(x.edited)
	x.edited = append(append(append(x.edited, `h3=":`...), port...), `"; ma=3600`...)
	x.resp.Set(altSvc, x.edited[start:])
}
