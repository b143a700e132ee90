package affinity

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"hash/crc32"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/limpet-dev/limpet/pkg/model"
)

// Adoption maps the sticky cookie of another ingress controller to an endpoint. These controllers hash the endpoint
// address without a secret key. Limpet therefore hashes its known addresses and compares. A client is adopted once:
// the response sets a Limpet token in the same cookie.

// adoption is the compiled list of controllers whose cookies are adopted. A nil adoption adopts none.
type adoption struct {
	ingressNginx, traefik, nginx bool
	cookie                       *method // additional cookie to read; nil if not configured
	backends                     []nginxBackend

	index    atomic.Pointer[adoptIndex] // index of the Set that was used last
	building sync.Mutex                 // serializes index builds
}

// nginxBackend is the ingress-nginx name of a backend, such as "shop-cart-80", and its hash in cookies.
type nginxBackend struct {
	name []byte
	hash []byte // hex(MD5(hex(MD5(name)) + name))
}

func compileAdoption(a *model.Affinity) *adoption {
	if len(a.Adopt) == 0 {
		return nil
	}
	out := &adoption{}
	if a.AdoptCookie != "" {
		out.cookie = &method{source: sourceCookie, name: a.AdoptCookie}
	}
	for _, controller := range a.Adopt {
		switch controller {
		case model.AdoptIngressNginx:
			out.ingressNginx = true
		case model.AdoptTraefik:
			out.traefik = true
		case model.AdoptNGINX:
			out.nginx = true
		}
	}
	for _, name := range a.AdoptBackends {
		inner := md5.Sum([]byte(name))
		outer := md5.Sum([]byte(hex.EncodeToString(inner[:]) + name))
		out.backends = append(out.backends, nginxBackend{[]byte(name), []byte(hex.EncodeToString(outer[:]))})
	}
	return out
}

// findElsewhere looks up the values of the additional adopted cookie. It returns -1 if no endpoint matches. Cookies of other
// backends, with other paths, may have the same name.
func (a *adoption) findElsewhere(req Request, state *ConnState, set Set) int {
	if a == nil || a.cookie == nil {
		return none
	}
	v := valueReader{method: a.cookie, req: req, state: state}
	for range maxAdoptable {
		value := v.next()
		if value == nil {
			return none
		}
		if at := a.find(value, set); at != none {
			return at
		}
	}
	return none
}

// maxAdopted is the maximum length in bytes of a cookie value that is adopted.
const maxAdopted = 256

// find returns the endpoint that a cookie value of another controller identifies, or -1 if it identifies none.
func (a *adoption) find(value []byte, set Set) int {
	if a == nil || len(value) > maxAdopted {
		return none
	}
	if a.ingressNginx {
		if at := a.findIngressNginx(value, set); at != none {
			return at
		}
	}
	if a.nginx {
		if at := a.findNGINX(value, set); at != none {
			return at
		}
	}
	if a.traefik {
		return a.findTraefik(value, set)
	}
	return none
}

// findNGINX looks up the hex MD5 of the address, see ngx_http_upstream_sticky_module.c.
func (a *adoption) findNGINX(value []byte, set Set) int {
	var key [md5.Size]byte
	if !decodeHex(key[:], value) {
		return none
	}
	return lookUpKey(a.indexOf(set).nginx, key)
}

// findTraefik looks up the first 16 hex digits of the SHA-256 of the URL, the format since v2.10. It also accepts the
// older format, the URL itself. See pkg/server/service/loadbalancer/sticky.go.
func (a *adoption) findTraefik(value []byte, set Set) int {
	if address, ok := bytes.CutPrefix(value, []byte("http://")); ok {
		return lookUpKey(a.indexOf(set).addresses, string(address))
	}
	var key [traefikSize]byte
	if !decodeHex(key[:], value) {
		return none
	}
	return lookUpKey(a.indexOf(set).traefik, key)
}

// findIngressNginx parses "<key>|<backend hash>", see rootfs/etc/nginx/lua/balancer/sticky*.lua. Like there, further parts are
// ignored: see nginxCookie.
func (a *adoption) findIngressNginx(value []byte, set Set) int {
	key, mark, ok := bytes.Cut(value, []byte("|"))
	if !ok {
		return none
	}
	mark, _, _ = bytes.Cut(mark, []byte("|"))
	for i := range a.backends {
		if !bytes.Equal(mark, a.backends[i].hash) {
			continue
		}
		if isHex(key, 2*md5.Size) {
			return a.findPersistent(key, i, set)
		}
		return a.findBalanced(key, set)
	}
	return none
}

// findPersistent looks up an endpoint for affinity-mode persistent. The key is the hex MD5 of backend name and
// address.
func (a *adoption) findPersistent(text []byte, backend int, set Set) int {
	var key [md5.Size]byte
	if !decodeHex(key[:], text) {
		return none
	}
	return lookUpKey(a.indexOf(set).persistent[backend], key)
}

// findBalanced looks up an endpoint for affinity-mode balanced. It returns the owner of the first ring point at or
// after the CRC-32 of the key. The ring contains all ready endpoints.
func (a *adoption) findBalanced(key []byte, set Set) int {
	ring := a.indexOf(set).ring()
	if len(ring) == 0 {
		return none
	}
	at, _ := slices.BinarySearch(ring, uint64(crc32.ChecksumIEEE(key))<<32)
	return int(uint32(ring[at%len(ring)]))
}

func isHex(text []byte, n int) bool {
	if len(text) != n {
		return false
	}
	for _, c := range text {
		if unhex[c] < 0 {
			return false
		}
	}
	return true
}
