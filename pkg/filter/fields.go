package filter

import "github.com/limpet-dev/limpet/pkg/http1"

// SetField makes the pod receive a field with that value. Name and value must be valid, and are not copied. All fields of the
// client with that name are withheld, and those whose names some servers cannot distinguish from it, such as X_User for X-User.
// An empty value only withholds them.
func (r *Request) SetField(name, value []byte) {
	for i := range r.fields {
		if looksLike(r.fields[i].Name, name) {
			r.fields[i].Value = value
			return
		}
	}
	r.fields = append(r.fields, http1.Field{Name: name, Value: value})
}

// ForwardFields returns the fields of SetField. Those without a value are not sent.
func (r *Request) ForwardFields() []http1.Field { return r.fields }

// WithholdsField reports whether SetField withholds the fields of the client with that name.
func (r *Request) WithholdsField(name []byte) bool {
	for i := range r.fields {
		if looksLike(r.fields[i].Name, name) {
			return true
		}
	}
	return false
}

// looksLike compares names as CGI-like servers do: without case, and with all characters except letters and digits equal.
func looksLike(a, b []byte) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if cgiByte(a[i]) != cgiByte(b[i]) {
			return false
		}
	}
	return true
}

func cgiByte(c byte) byte {
	switch {
	case 'a' <= c && c <= 'z', '0' <= c && c <= '9':
		return c
	case 'A' <= c && c <= 'Z':
		return c + 'a' - 'A'
	}
	return '_'
}
