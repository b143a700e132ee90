package exchange

import (
	"bytes"

	"github.com/limpet-dev/limpet/pkg/http1"
)

// match pins the current table and finds the route and its backend. If there is none it answers, and returns false.
func (x *Exchange) match() bool {
	x.bounds = x.Engine.usual
	path, changed, err := http1.NormalizePath(x.pathSpace[:0], x.req.Path)
	if err != nil {
		x.refuse(err)
		return false
	}
	x.path = path
	if changed {
		x.pathSpace = path
	}
	x.host = hostName(x.hostSpace[:0], x.req.Host)
	x.table = x.Engine.Tables.Current()
	if x.table == nil {
		x.answer(503, "Limpet has not read its configuration yet.")
		return false
	}
	x.route = x.table.Match(x.host, x.path)
	if x.route == nil {
		x.answer(404, "No route for this host and path.")
		return false
	}
	if !x.permit() || !x.limit() {
		return false
	}
	x.backend = x.split()
	if x.backend == nil {
		x.answer(503, "The Service behind this route does not exist.")
		return false
	}
	return true
}

// hostName writes the name in an authority: in lower case, without the port and without a trailing dot.
func hostName(dst, authority []byte) []byte {
	name := authority
	if colon := bytes.LastIndexByte(name, ':'); colon > bytes.LastIndexByte(name, ']') {
		name = name[:colon]
	}
	if n := len(name); n > 1 && name[n-1] == '.' {
		name = name[:n-1]
	}
	for _, c := range name {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		dst = append(dst, c)
	}
	return dst
}
