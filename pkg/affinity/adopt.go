package affinity

import (
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash/crc32"

	"github.com/limpet-dev/limpet/pkg/model"
)

// Adopting is finding the endpoint that the cookie of another controller stands for. All of them hash the address, and
// none uses a key, so that it can be found by hashing the addresses there are. A client is adopted once: it is given a
// token in the same cookie.

// adoption is what a policy adopts, nil for nothing.
type adoption struct {
	ingressNginx, traefik, nginx bool
	cookie                       string // where else to look, "" for nowhere
	backends                     []nginxBackend
}

// nginxBackend is what ingress-nginx calls a backend, "shop-cart-80", and what its cookies say about it.
type nginxBackend struct {
	name []byte
	mark []byte // the hex MD5 of the hex MD5 of the name and the name
}

func compileAdoption(a *model.Affinity) *adoption {
	if len(a.Adopt) == 0 {
		return nil
	}
	out := &adoption{cookie: a.AdoptCookie}
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

// findElsewhere looks into the cookie that has the name which the method's own was to have.
func (a *adoption) findElsewhere(req Request, set Set) int {
	if a == nil || a.cookie == "" {
		return none
	}
	return a.find(CookieValue(req, a.cookie), set)
}

// find is the endpoint that a cookie's value stands for, -1 if it is not known.
func (a *adoption) find(value []byte, set Set) int {
	if a == nil {
		return none
	}
	if a.ingressNginx {
		if at := a.findIngressNginx(value, set); at != none {
			return at
		}
	}
	for i := range set.Len() {
		if a.nginx && isNGINX(value, set.Address(i)) || a.traefik && isTraefik(value, set.Address(i)) {
			return i
		}
	}
	return none
}

// isNGINX compares with the hex MD5 of the address: ngx_http_upstream_sticky_module.c.
func isNGINX(value []byte, address string) bool {
	sum := md5.Sum([]byte(address))
	return isHexOf(value, sum[:])
}

// isTraefik compares with the first 16 digits of the SHA-256 of the URL, which it has written since v2.10, or the URL
// itself as before: pkg/server/service/loadbalancer/sticky.go.
func isTraefik(value []byte, address string) bool {
	var space [128]byte
	url := append(append(space[:0], "http://"...), address...)
	sum := sha256.Sum256(url)
	return isHexOf(value, sum[:8]) || bytes.Equal(value, url)
}

// findIngressNginx reads "<key>|<mark of the backend>": rootfs/etc/nginx/lua/balancer/sticky*.lua.
func (a *adoption) findIngressNginx(value []byte, set Set) int {
	key, mark, ok := bytes.Cut(value, []byte("|"))
	if !ok {
		return none
	}
	for i := range a.backends {
		if !bytes.Equal(mark, a.backends[i].mark) {
			continue
		}
		if isHex(key, 2*md5.Size) {
			return findPersistent(key, a.backends[i].name, set)
		}
		return findBalanced(key, set)
	}
	return none
}

// findPersistent finds the endpoint of affinity-mode persistent: the key is the hex MD5 of backend and address.
func findPersistent(key, backend []byte, set Set) int {
	var space [256]byte
	for i := range set.Len() {
		sum := md5.Sum(append(append(space[:0], backend...), set.Address(i)...))
		if isHexOf(key, sum[:]) {
			return i
		}
	}
	return none
}

// pointsPerEndpoint is that of a ketama ring (lua-resty-balancer, lib/resty/chash.lua).
const pointsPerEndpoint = 160

// findBalanced finds the endpoint of affinity-mode balanced: on a ring of all ready endpoints, the owner of the first
// point from the CRC-32 of the key on.
func findBalanced(key []byte, set Set) int {
	from := crc32.ChecksumIEEE(key)
	at, nearest := none, uint32(0)
	for i := range set.Ready() {
		base := crc32.ChecksumIEEE([]byte(set.Address(i)))
		point := [4]byte{}
		for range pointsPerEndpoint {
			hash := crc32.Update(base, crc32.IEEETable, point[:])
			binary.LittleEndian.PutUint32(point[:], hash)
			if distance := hash - from; at == none || distance < nearest {
				at, nearest = i, distance
			}
		}
	}
	return at
}

// isHexOf reports whether text is sum in hex, in lower case.
func isHexOf(text, sum []byte) bool {
	var space [2 * sha256.Size]byte
	return bytes.Equal(text, hex.AppendEncode(space[:0], sum))
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
