package http1

// Field is one field line. Name is as received. Value has no leading or trailing whitespace.
type Field struct {
	Name, Value []byte
	ID          FieldID
}

// FieldID identifies a well-known field name, regardless of case.
type FieldID uint8

// The well-known names. FieldOther is any other name.
const (
	FieldOther FieldID = iota
	// FieldLookAlike is a name that CGI-like servers cannot distinguish from a well-known one, such as
	// X_Forwarded_For. These servers map all characters except letters and digits to "_".
	FieldLookAlike
	// FieldWithheld is a field that is not forwarded, whatever its name. See Message.Withhold.
	FieldWithheld
	// FieldForwardedOther is any other name that starts with X-Forwarded-. Such fields describe the client too.
	FieldForwardedOther
	// FieldSSLClient is any name that starts with Ssl-Client-. Limpet uses them to send properties of the client
	// certificate to pods.
	FieldSSLClient

	FieldHost
	FieldContentLength
	FieldTransferEncoding
	FieldConnection
	FieldKeepAlive
	FieldUpgrade
	FieldHTTP2Settings
	FieldLimpetReleaseSession // sent by apps to end a session; not forwarded
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
	FieldClientCert // RFC 9440
	FieldClientCertChain
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

	fieldIDs // number of IDs
)

// appendFields parses a field section that starts at i and ends with an empty line. It appends the fields and
// returns the index after the empty line. It fails if there are more than most fields.
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

// endSection parses the empty line at i.
func endSection(buf []byte, i int) (next int, err error) {
	if i < len(buf) && isSpace(buf[i]) {
		return i, ErrFold
	}
	return crlf(buf, i)
}

// crlf parses a CRLF at i, and returns the index after it.
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

// parseField parses the field line at i into f.
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

// otherName validates a name that is not well-known. It must be a token.
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
	return classifyName(name, seen), nil
}

// parseValue parses the field value at i and its CRLF.
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
