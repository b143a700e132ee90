package filter

import (
	"bytes"
	"encoding/base64"

	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/variable"
)

// AppendVariable implements variable.Source. Path and query are the client's, but normalized: another service
// decides about the request that the pod of the route would receive without a rewrite.
func (r *Request) AppendVariable(dst []byte, v *variable.Variable) []byte {
	switch v.Kind {
	case variable.Host:
		return append(dst, r.Host...)
	case variable.Authority:
		return append(dst, r.Authority...)
	case variable.HostField:
		return append(dst, r.Head.Host...)
	case variable.Scheme:
		return append(dst, r.Scheme()...)
	case variable.RequestURI:
		return r.appendURI(dst)
	case variable.EscapedRequestURI:
		return variable.AppendComponent(dst, r.appendURI(nil))
	case variable.Path:
		return append(dst, r.Path...)
	case variable.Query:
		return append(dst, r.Head.Query...)
	case variable.Method:
		return append(dst, r.Head.Method...)
	case variable.ClientIP:
		return r.ClientIP.AppendTo(dst)
	case variable.BinaryClientIP:
		return append(dst, r.ClientIP.AsSlice()...)
	}
	return r.appendNamed(dst, v)
}

// appendNamed appends a variable whose value depends on a field or parameter. A field that occurs more than once has all values.
func (r *Request) appendNamed(dst []byte, v *variable.Variable) []byte {
	switch v.Kind {
	case variable.RemoteUser:
		return appendUser(dst, r.Head.Get(http1.FieldAuthorization))
	case variable.Argument:
		return append(dst, argument(r.Head.Query, v.Name)...)
	case variable.Cookie:
		return append(dst, r.cookie(v.Name)...)
	case variable.Header:
		separator := ""
		for i := range r.Head.Fields {
			if f := &r.Head.Fields[i]; equalNames(f.Name, v.Name) {
				dst = append(append(dst, separator...), f.Value...)
				separator = ", "
			}
		}
	}
	return dst
}

func (r *Request) appendURI(dst []byte) []byte {
	dst = append(dst, r.Path...)
	if r.Head.HasQuery {
		dst = append(append(dst, '?'), r.Head.Query...)
	}
	return dst
}

// appendUser appends the user of basic authentication (RFC 7617).
func appendUser(dst, authorization []byte) []byte {
	const scheme = "basic "
	if len(authorization) < len(scheme) || !bytes.EqualFold(authorization[:len(scheme)], []byte(scheme)) {
		return dst
	}
	text, err := base64.StdEncoding.AppendDecode(nil, bytes.TrimSpace(authorization[len(scheme):]))
	user, _, found := bytes.Cut(text, []byte(":"))
	if err != nil || !found || !http1.IsFieldValue(user) {
		return dst
	}
	return append(dst, user...)
}

// argument returns the first parameter of a query with that name, as it is written.
func argument(query []byte, name string) []byte {
	for len(query) > 0 {
		var pair []byte
		pair, query, _ = bytes.Cut(query, []byte("&"))
		key, value, _ := bytes.Cut(pair, []byte("="))
		if equalNames(key, name) {
			return value
		}
	}
	return nil
}

// cookie returns the first cookie with that name.
func (r *Request) cookie(name string) []byte {
	for _, i := range r.Head.Cookies {
		for rest := r.Head.Fields[i].Value; len(rest) > 0; {
			var pair []byte
			pair, rest, _ = bytes.Cut(rest, []byte(";"))
			key, value, _ := bytes.Cut(pair, []byte("="))
			if string(bytes.TrimSpace(key)) == name {
				return bytes.TrimSpace(value)
			}
		}
	}
	return nil
}

// equalNames compares names without case.
func equalNames(a []byte, b string) bool {
	return len(a) == len(b) && bytes.EqualFold(a, []byte(b))
}

var _ variable.Source = (*Request)(nil)
