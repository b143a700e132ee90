package http1

// Field is one field line of a message. Name is as it was received; Value is without the spaces around it.
type Field struct {
	Name, Value []byte
	ID          FieldID
}

// FieldID stands for a field name that Limpet knows, whatever its case.
type FieldID uint8

// The names that are known. FieldOther is any other one.
const (
	FieldOther FieldID = iota
	// FieldLookAlike is a name that servers in the manner of CGI cannot tell from a known one, such as
	// X_Forwarded_For: those map everything but letters and digits to "_".
	FieldLookAlike
	// FieldWithheld is a field that is not passed on, whatever its name: see Message.Withhold.
	FieldWithheld
	// FieldForwardedOther is any name with X-Forwarded- before it that is not known: it speaks about the client as well.
	FieldForwardedOther
	// FieldSSLClient is any name with Ssl-Client- before it: what Limpet tells pods about the certificate of a client.
	FieldSSLClient

	FieldHost
	FieldContentLength
	FieldTransferEncoding
	FieldConnection
	FieldKeepAlive
	FieldUpgrade
	FieldHTTP2Settings
	FieldLimpetReleaseSession // by which an app ends a session; between it and Limpet
	FieldTE
	FieldTrailer
	FieldExpect
	FieldProxy // "Proxy" becomes HTTP_PROXY in CGI: httpoxy, CVE-2016-5385
	FieldProxyAuthenticate
	FieldProxyAuthenticationInfo
	FieldProxyAuthorization
	FieldProxyConnection

	FieldForwarded
	FieldXForwardedFor
	FieldXForwardedHost
	FieldXForwardedPort
	FieldXForwardedPrefix
	FieldXForwardedProto
	FieldXForwardedScheme
	FieldXForwardedServer
	FieldXForwardedSSL
	FieldXRealIP
	FieldXRequestID
	FieldXScheme
	FieldVia

	FieldAccept
	FieldAcceptEncoding
	FieldAuthorization
	FieldCacheControl
	FieldContentEncoding
	FieldContentRange
	FieldContentType
	FieldCookie
	FieldDate
	FieldLocation
	FieldMaxForwards
	FieldOrigin
	FieldRange
	FieldReferer
	FieldRetryAfter
	FieldSecWebSocketAccept
	FieldSecWebSocketExtensions
	FieldSecWebSocketKey
	FieldSecWebSocketProtocol
	FieldSecWebSocketVersion
	FieldServer
	FieldSetCookie
	FieldUserAgent
	FieldVary
	FieldWWWAuthenticate

	fieldIDs // how many there are
)

// appendFields reads a field section, from i to behind the empty line that ends it, and gives the fields and the index
// after it. most bounds the number of fields.
func appendFields(fields []Field, buf []byte, i, most int) ([]Field, int, error) {
	for i < len(buf) && buf[i] > ' ' {
		if len(fields) >= most {
			return fields, i, ErrTooManyFields
		}
		fields = append(fields, Field{})
		next, err := parseField(&fields[len(fields)-1], buf, i)
		if err != nil {
			return fields, i, err
		}
		i = next
	}
	i, err := endSection(buf, i)
	return fields, i, err
}

// endSection passes over the empty line at i, where no name begins.
func endSection(buf []byte, i int) (next int, err error) {
	if i < len(buf) && isSpace(buf[i]) {
		return i, ErrFold
	}
	return crlf(buf, i)
}

// crlf passes over a CRLF at i.
func crlf(buf []byte, i int) (next int, err error) {
	if i < len(buf) && buf[i] != '\r' {
		return i, ErrLineEnd
	}
	if i+1 >= len(buf) {
		return i, ErrIncomplete
	}
	if buf[i+1] != '\n' {
		return i, ErrLineEnd
	}
	return i + 2, nil
}

// parseField reads the field line at i into f.
func parseField(f *Field, buf []byte, i int) (next int, err error) {
	end := indexColon(buf, i)
	f.Name = buf[i:end:end]
	if f.ID = knownName(f.Name); f.ID == FieldOther {
		if f.ID, err = otherName(f.Name); err != nil {
			return i, err
		}
	}
	if end == len(buf) {
		return i, ErrIncomplete
	}
	return parseValue(f, buf, end+1)
}

// otherName checks a name that is not a known one: those are tokens.
func otherName(name []byte) (FieldID, error) {
	var seen uint8
	for _, b := range name {
		if class[b]&classToken == 0 {
			return FieldOther, ErrFieldName
		}
		seen |= class[b]
	}
	if len(name) == 0 {
		return FieldOther, ErrFieldName
	}
	return unknown(name, seen), nil
}

// parseValue reads the value at i, up to and with its CRLF.
func parseValue(f *Field, buf []byte, i int) (next int, err error) {
	for i < len(buf) && isSpace(buf[i]) {
		i++
	}
	end := textEnd(buf, i)
	if end < len(buf) && buf[end] != '\r' && buf[end] != '\n' {
		return i, ErrFieldValue
	}
	next, err = crlf(buf, end)
	if err != nil {
		return i, err
	}
	for end > i && isSpace(buf[end-1]) {
		end--
	}
	f.Value = buf[i:end:end]
	return next, nil
}
