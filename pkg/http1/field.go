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

	FieldHost
	FieldContentLength
	FieldTransferEncoding
	FieldConnection
	FieldKeepAlive
	FieldUpgrade
	FieldHTTP2Settings
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
