package affinity

import "bytes"

// maxParameter is the maximum length in bytes of the decoded name and of the decoded value of a query parameter.
// Longer ones are ignored.
const maxParameter = 256

// parameter returns the first non-empty parameter with the name of the method. It searches the query first, then the
// path parameters, which servlet containers use for sessions ("/cart;jsessionid=42?x=1").
func (v *valueReader) parameter() []byte {
	if value := v.parameterIn(v.req.Query(), '&', true); value != nil {
		return value
	}
	path := v.req.Path()
	start := bytes.IndexByte(path, ';')
	if start < 0 {
		return nil
	}
	return v.parameterIn(path[start+1:], ';', false)
}

// parameterIn searches text, whose parameters are separated by sep. In a path, "/" also ends a parameter. If isForm is
// set, "+" is decoded as a space.
func (v *valueReader) parameterIn(text []byte, sep byte, isForm bool) []byte {
	for ; len(text) > 0 && v.pairs < maxPairs; v.pairs++ {
		end := bytes.IndexByte(text, sep)
		if end < 0 {
			end = len(text)
		}
		pair := text[:end]
		text = text[min(end+1, len(text)):]
		if slash := bytes.IndexByte(pair, '/'); slash >= 0 && !isForm {
			pair = pair[:slash]
		}
		if value := v.parameterOf(pair, isForm); len(value) > 0 {
			return value
		}
	}
	return nil
}

// parameterOf returns the decoded value of a pair, or nil if the pair has another name.
func (v *valueReader) parameterOf(pair []byte, isForm bool) []byte {
	equals := bytes.IndexByte(pair, '=')
	if equals < 0 {
		return nil
	}
	name, ok := v.decode(pair[:equals], isForm)
	if !ok || string(name) != v.method.name {
		return nil
	}
	value, ok := v.decode(pair[equals+1:], isForm)
	if !ok {
		return nil
	}
	return value
}

// decode returns text itself if nothing in it is encoded. Otherwise it returns the decoded text, which is stored in
// v.state.
func (v *valueReader) decode(text []byte, isForm bool) (decoded []byte, ok bool) {
	if bytes.IndexByte(text, '%') < 0 && (!isForm || bytes.IndexByte(text, '+') < 0) {
		return text, len(text) <= maxParameter
	}
	if v.state.value == nil {
		v.state.value = make([]byte, maxParameter)
	}
	out := v.state.value[:0]
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case len(out) == maxParameter:
			return nil, false
		case c == '+' && isForm:
			c = ' '
		case c == '%':
			if i+2 >= len(text) || unhex[text[i+1]] < 0 || unhex[text[i+2]] < 0 {
				return nil, false
			}
			c = byte(unhex[text[i+1]])<<4 | byte(unhex[text[i+2]])
			i += 2
		}
		out = append(out, c)
	}
	return out, true
}

// unhex maps a hexadecimal digit to its value, and any other byte to -1.
var unhex = func() (table [256]int8) {
	for c := range table {
		table[c] = int8(bytes.IndexByte([]byte("0123456789abcdef"), byte(c)))
		if c >= 'A' && c <= 'F' {
			table[c] = int8(c - 'A' + 10)
		}
	}
	return table
}()

// segment returns the i-th segment of a path, counted from 0. It returns nil if there is no such segment or it is
// empty. The path must be normalized, so that each segment has only one spelling.
func segment(path []byte, i int) []byte {
	for ; i >= 0; i-- {
		if len(path) == 0 || path[0] != '/' {
			return nil
		}
		path = path[1:]
		if i > 0 {
			path = path[segmentEnd(path):]
		}
	}
	if end := segmentEnd(path); end > 0 {
		return path[:end]
	}
	return nil
}

func segmentEnd(path []byte) int {
	if end := bytes.IndexByte(path, '/'); end >= 0 {
		return end
	}
	return len(path)
}
