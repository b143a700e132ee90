package peers

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// Purpose is the purpose for which the keys of this package are derived from the affinity keys.
const Purpose = "requests between replicas"

// Keys returns the keys of this replica: the first one signs, and all verify. It returns none before they are loaded.
type Keys func() [][32]byte

// Header fields of a request and its response.
const (
	timeHeader      = "Limpet-Peer-Time"
	nonceHeader     = "Limpet-Peer-Nonce"
	signatureHeader = "Limpet-Peer-Signature"
)

// maxAge is the maximum difference between the clocks of two replicas, plus the time that a request takes to arrive.
const maxAge = 30 * time.Second

// nonceSize is the length of a nonce in bytes. It is sent in hexadecimal.
const nonceSize = 16

// message has the content that a signature covers. The fields are separated by line breaks, which none of them can contain: all
// but the body are parts of an HTTP message, and the body is hashed.
type message struct {
	kind   string // "request" or "response"
	method string
	host   string // where the request was sent, so that it is not valid for another replica
	uri    string // path and query
	time   string
	nonce  string
	status int // of a response
	body   []byte
}

// sign returns the HMAC-SHA256 of m in hexadecimal.
func (m *message) sign(key [32]byte) string {
	mac := hmac.New(sha256.New, key[:])
	fmt.Fprintf(mac, "limpet peers 1\n%s\n%s\n%s\n%s\n%s\n%s\n%d\n%x", m.kind, m.method, m.host, m.uri, m.time, m.nonce, m.status,
		sha256.Sum256(m.body))
	return hex.EncodeToString(mac.Sum(nil))
}

// verify reports whether one of the keys signed m. It takes the same time for any signature.
func (m *message) verify(keys [][32]byte, signature string) bool {
	valid := false
	for _, key := range keys {
		if hmac.Equal([]byte(m.sign(key)), []byte(signature)) {
			valid = true
		}
	}
	return valid
}

// messageOf returns what the signature of a request covers.
func messageOf(r *http.Request, body []byte) message {
	return message{kind: "request", method: r.Method, host: r.Host, uri: r.URL.RequestURI(), time: r.Header.Get(timeHeader),
		nonce: r.Header.Get(nonceHeader), body: body}
}

// responseTo returns what the signature of the response to m covers.
func (m message) responseTo(status int, body []byte) message {
	m.kind, m.status, m.body = "response", status, body
	return m
}

// signRequest adds the header fields to a request, and returns what its response must cover.
func signRequest(r *http.Request, body []byte, key [32]byte, now time.Time) message {
	var nonce [nonceSize]byte
	_, _ = rand.Read(nonce[:]) // it never fails
	r.Host = r.URL.Host
	r.Header.Set(timeHeader, strconv.FormatInt(now.Unix(), 10))
	r.Header.Set(nonceHeader, hex.EncodeToString(nonce[:]))
	m := messageOf(r, body)
	r.Header.Set(signatureHeader, m.sign(key))
	return m
}
