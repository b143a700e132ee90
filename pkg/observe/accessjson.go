package observe

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// AccessFields is a set of fields of the JSON format.
type AccessFields uint32

// The fields, in the order of accessFieldNames and of a line.
const (
	accessTime AccessFields = 1 << iota
	accessClient
	accessScheme
	accessProtocol
	accessMethod
	accessHost
	accessPath
	accessStatus
	accessBytes
	accessBytesIn
	accessSeconds
	accessPool
	accessEndpoint
	accessAttempts
	accessAffinity
	accessReason
	accessAffinityReason
	accessDetail
	accessGenerated
	accessClosed
	accessStrippedUpgrade
	accessRequestID
	accessTraceID
	accessEnd

	allAccessFields = accessEnd - 1
)

var accessFieldNames = []string{
	"time", "client", "scheme", "protocol", "method", "host", "path", "status", "bytes", "bytesIn", "seconds", "pool", "endpoint",
	"attempts", "affinity", "reason", "affinityReason", "detail", "generated", "closed", "strippedUpgrade", "requestId", "traceId",
}

// AccessFieldNames returns the names of all fields of the JSON format, in the order of a line. Callers must not modify it.
func AccessFieldNames() []string { return accessFieldNames }

// ParseAccessFields returns the set of these names.
func ParseAccessFields(names []string) (AccessFields, error) {
	var set AccessFields
	for _, name := range names {
		i := slices.Index(accessFieldNames, name)
		if i < 0 {
			return 0, fmt.Errorf("%q is not one of %s", name, strings.Join(accessFieldNames, ", "))
		}
		set |= 1 << i
	}
	return set, nil
}

// jsonLine is a line of the JSON format.
type jsonLine struct {
	buf    []byte
	fields AccessFields
}

// key appends the key of a field and returns true if the field is selected.
func (l *jsonLine) key(field AccessFields, name string) bool {
	if l.fields&field == 0 {
		return false
	}
	l.buf = append(append(append(l.buf, `,"`...), name...), `":`...)
	return true
}

func (l *jsonLine) text(field AccessFields, name, value string) {
	if l.key(field, name) {
		l.buf = appendQuoted(l.buf, value)
	}
}

func (l *jsonLine) bytes(field AccessFields, name string, value []byte) {
	if l.key(field, name) {
		l.buf = appendQuoted(l.buf, value)
	}
}

func (l *jsonLine) number(field AccessFields, name string, value int64) {
	if l.key(field, name) {
		l.buf = strconv.AppendInt(l.buf, value, 10)
	}
}

// optional appends a text that is omitted if it is empty.
func (l *jsonLine) optional(field AccessFields, name, value string) {
	if value != "" {
		l.text(field, name, value)
	}
}

// mark appends true, or nothing.
func (l *jsonLine) mark(field AccessFields, name string, value bool) {
	if value && l.key(field, name) {
		l.buf = append(l.buf, "true"...)
	}
}

// appendJSON appends a line with the fields that are selected.
func appendJSON(b []byte, a *Access, fields AccessFields) []byte {
	start := len(b)
	l := jsonLine{b, fields}
	if l.key(accessTime, "time") {
		l.buf = append(a.Start.UTC().AppendFormat(append(l.buf, '"'), time.RFC3339Nano), '"')
	}
	l.text(accessClient, "client", a.Client)
	l.optional(accessScheme, "scheme", a.Scheme)
	l.text(accessProtocol, "protocol", a.Protocol)
	l.bytes(accessMethod, "method", a.Method)
	l.bytes(accessHost, "host", a.Host)
	l.bytes(accessPath, "path", a.Path)
	l.number(accessStatus, "status", int64(a.Status))
	l.number(accessBytes, "bytes", a.Bytes)
	if a.BytesIn > 0 {
		l.number(accessBytesIn, "bytesIn", a.BytesIn)
	}
	if l.key(accessSeconds, "seconds") {
		l.buf = strconv.AppendFloat(l.buf, a.Took.Seconds(), 'f', 6, 64)
	}
	l.text(accessPool, "pool", a.Pool)
	l.text(accessEndpoint, "endpoint", a.Endpoint)
	l.number(accessAttempts, "attempts", int64(a.Attempts))
	l.text(accessAffinity, "affinity", a.Outcome.String())
	l.reasons(a)
	if len(a.StrippedUpgrade) > 0 {
		l.bytes(accessStrippedUpgrade, "strippedUpgrade", a.StrippedUpgrade)
	}
	l.bytes(accessRequestID, "requestId", a.RequestID)
	if a.TraceID != ([16]byte{}) && l.key(accessTraceID, "traceId") {
		l.buf = append(hex.AppendEncode(append(l.buf, '"'), a.TraceID[:]), '"')
	}
	if len(l.buf) == start { // the selected fields have no values
		l.buf = append(l.buf, ' ')
	}
	l.buf[start] = '{' // instead of the first comma
	return append(l.buf, "}\n"...)
}

// reasons appends why the request failed, or otherwise why its session moved. A request whose session moved and that failed has
// the second one in affinityReason.
func (l *jsonLine) reasons(a *Access) {
	reason, affinityReason := a.Failure.String(), a.Reason.String()
	if reason == "" {
		reason, affinityReason = affinityReason, ""
	}
	l.optional(accessReason, "reason", reason)
	l.optional(accessAffinityReason, "affinityReason", affinityReason)
	l.optional(accessDetail, "detail", a.Detail)
	l.mark(accessGenerated, "generated", a.Generated)
	l.mark(accessClosed, "closed", a.Closed)
}

const hexDigits = "0123456789abcdef"

// appendQuoted appends s as a JSON string (RFC 8259, section 7). It escapes everything that could end the string or
// the line, because s may come from the client.
func appendQuoted[T string | []byte](b []byte, s T) []byte {
	b = append(b, '"')
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(string(s[i:min(i+utf8.UTFMax, len(s))]))
			b = utf8.AppendRune(b, r)
			i += size
			continue
		}
		i++
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < 0x20 || c == 0x7f:
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}
