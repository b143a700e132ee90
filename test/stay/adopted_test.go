package stay

import (
	"crypto/md5"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"slices"
	"sort"
	"testing"

	"github.com/limpet-dev/limpet/api/v1alpha1"
)

// foreignCookie is the name of the cookie by which another controller bound a client to its pod. The tests compute its
// value independently, following the sources of those controllers.
const foreignCookie = "route"

func TestAdopt_otherControllers(t *testing.T) {
	cookies := map[backend]func(o *fixture, w backend, n int) (value string, home *pod){
		"persistent": func(o *fixture, w backend, n int) (string, *pod) {
			p := o.pods[n%len(o.pods)]
			return md5Hex(nginxBackend(w)+p.address()) + "|" + nginxMark(w), p
		},
		"balanced": func(o *fixture, w backend, n int) (string, *pod) {
			key := fmt.Sprintf("1790000000.%d.%d.%d", n, n%7, 100000+n)
			return key + "|" + nginxMark(w), o.onRing(key)
		},
		"traefik": func(o *fixture, _ backend, n int) (string, *pod) {
			p := o.pods[n%len(o.pods)]
			return sha256Hex("http://" + p.address())[:16], p
		},
		"traefik-url": func(o *fixture, _ backend, n int) (string, *pod) {
			p := o.pods[n%len(o.pods)]
			return "http://" + p.address(), p
		},
		"nginx": func(o *fixture, _ backend, n int) (string, *pod) {
			p := o.pods[n%len(o.pods)]
			return md5Hex(p.address()), p
		},
	}
	f := openAdopting(t, "persistent", "balanced", "traefik", "traefik-url", "nginx")
	for w, cookie := range cookies {
		t.Run(string(w), func(t *testing.T) {
			sessions := newSessions(t, w, 0, clients)
			used := map[string]bool{}
			for i, s := range sessions {
				value, home := cookie(f, w, i)
				s.setCookie(foreignCookie, value)
				s.pod = home.name
				used[home.name] = true
			}
			if len(used) != len(f.pods) {
				t.Fatalf("the other controller used the pods %v only", used)
			}
			each(t, sessions, func(s *session) error { return s.isAdopted(t, f.limpet) })
		})
	}
}

// isAdopted sends the first request to Limpet: the pod stays, and a token takes the place of the cookie.
func (s *session) isAdopted(t *testing.T, l *limpet) error {
	home := s.pod
	if err := s.settle(l, "/"); err != nil {
		return err
	}
	if s.pod != home {
		return fmt.Errorf("%s: was on %s, and now that it is adopted on %s", s, home, s.pod)
	}
	if s.cookie().Name != foreignCookie || opened(t, s.cookie().Value).Session == 0 {
		return fmt.Errorf("%s: has the cookie %v", s, s.cookie())
	}
	return s.stays(l, "/", 2)
}

// What looks like such a cookie, and is not of this backend or of its pods, is treated as absent: the client is new.
func TestAdopt_unknownCookieIsAbsent(t *testing.T) {
	f := openAdopting(t, "stranger")
	gone := newPod(40) // of the same network, and no endpoint
	wrong := []string{
		md5Hex(nginxBackend("stranger")+gone.address()) + "|" + nginxMark("stranger"),
		md5Hex(nginxBackend("other")+f.pods[0].address()) + "|" + nginxMark("other"),
		"1790000000.1.2.3|" + nginxMark("other"),
		md5Hex(gone.address()),
		sha256Hex("http://" + gone.address())[:16],
		sha256Hex("https://" + f.pods[0].address())[:16],
		"http://" + gone.address(),
		"http://169.254.169.254/",
		"|" + md5Hex("x"),
		"garbage",
	}
	sessions := newSessions(t, "stranger", 0, clients)
	for i, s := range sessions {
		s.setCookie(foreignCookie, wrong[i%len(wrong)])
	}
	settle(t, f.limpet, sessions)
	expectNoneMoves(t, f.limpet, sessions, 2)
	expectEven(t, sessions, f.pods)
}

// An Ingress written for ingress-nginx keeps its sessions of both modes, without a policy.
func TestAdopt_nginxAnnotations(t *testing.T) {
	const persistent, balanced = backend("persistent"), backend("balanced")
	f := newFixture(t, 6, nil)
	for _, w := range []backend{persistent, balanced} {
		in := w.ingress()
		in.Annotations = map[string]string{
			"nginx.ingress.kubernetes.io/affinity":            "cookie",
			"nginx.ingress.kubernetes.io/affinity-mode":       string(w),
			"nginx.ingress.kubernetes.io/session-cookie-name": foreignCookie,
		}
		f.apply(t, w.service())
		f.apply(t, in)
		f.setPods(t, ready(f.pods...), w)
		f.awaitStatus(t, w, "/", 200)
	}
	for i, s := range newSessions(t, persistent, 0, clients) {
		home := f.pods[i%len(f.pods)]
		s.setCookie(foreignCookie, md5Hex(nginxBackend(persistent)+home.address())+"|"+nginxMark(persistent))
		s.pod = home.name
		if err := s.isAdopted(t, f.limpet); err != nil {
			t.Error(err)
		}
	}
	for i, s := range newSessions(t, balanced, 0, clients) {
		key := fmt.Sprintf("1790000000.%d.%d.%d", i, i%7, 100000+i)
		s.setCookie(foreignCookie, key+"|"+nginxMark(balanced))
		s.pod = f.onRing(key).name
		if err := s.isAdopted(t, f.limpet); err != nil {
			t.Error(err)
		}
	}
}

// openAdopting starts a Limpet whose policies adopt from everybody.
func openAdopting(t *testing.T, ways ...backend) *fixture {
	t.Helper()
	return newFixture(t, 6, policies(issuedWith(func(s *v1alpha1.AffinityPolicySpec) {
		s.Methods[0].Cookie = cookieNamed(foreignCookie)
		s.Adopt = []v1alpha1.Adopted{v1alpha1.AdoptIngressNginx, v1alpha1.AdoptTraefik, v1alpha1.AdoptNGINX}
	}), ways...))
}

// nginxBackend is the name of a backend in ingress-nginx.
func nginxBackend(w backend) string { return namespace + "-" + string(w) + "-80" }

func nginxMark(w backend) string { return md5Hex(md5Hex(nginxBackend(w)) + nginxBackend(w)) }

// onRing finds a key's pod as lua-resty-balancer does: 160 points for each pod, each the CRC-32 of the address and the
// point before it; the first point that is not below the CRC-32 of the key.
func (o *fixture) onRing(key string) *pod {
	type point struct {
		hash uint32
		pod  *pod
	}
	var ring []point
	for _, p := range o.pods {
		previous := make([]byte, 4)
		for range 160 {
			hash := crc32.ChecksumIEEE(append([]byte(p.address()), previous...))
			binary.LittleEndian.PutUint32(previous, hash)
			ring = append(ring, point{hash, p})
		}
	}
	slices.SortFunc(ring, func(a, b point) int { return int(int64(a.hash) - int64(b.hash)) })
	from := crc32.ChecksumIEEE([]byte(key))
	at := sort.Search(len(ring), func(i int) bool { return ring[i].hash >= from })
	return ring[at%len(ring)].pod
}

func md5Hex(text string) string {
	sum := md5.Sum([]byte(text))
	return hex.EncodeToString(sum[:])
}

func sha256Hex(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
