package stay

import (
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/test/ingressnginx"
)

// Clients of an Ingress of ingress-nginx in each mode, by the name of the backend.
const (
	movingPersistent backend = "moving-persistent"
	movingBalanced   backend = "moving-balanced"
)

var movingModes = []backend{movingPersistent, movingBalanced}

// migration is a folder of Ingresses that Limpet and a model of ingress-nginx both serve.
type migration struct {
	*fixture
	nginx   *limpet // only its address is used
	model   *ingressnginx.Controller
	clients []*session
}

func newMigration(t *testing.T, flags ...string) *migration {
	t.Helper()
	m := &migration{fixture: &fixture{folder: newFolder(t), pods: startPods(t, 6)}, model: ingressnginx.New()}
	for _, w := range movingModes {
		in := w.ingress()
		in.Annotations = map[string]string{"nginx.ingress.kubernetes.io/affinity": "cookie"}
		if w == movingPersistent {
			in.Annotations["nginx.ingress.kubernetes.io/affinity-mode"] = "persistent"
		}
		m.apply(t, w.service())
		m.apply(t, in)
		m.apply(t, w.slice(ready(m.pods[:4]...)))
	}
	m.usePods(m.pods[:4])
	m.nginx = startModel(t, m.model)
	m.limpet = m.startWith(t, flags...)
	return m
}

// usePods changes the pods of the model.
func (m *migration) usePods(pods []*pod) {
	var addresses []string
	for _, p := range pods {
		addresses = append(addresses, p.address())
	}
	for _, w := range movingModes {
		m.model.Serve(w.host(), ingressnginx.Backend{
			Name: namespace + "-" + string(w) + "-http", Balanced: w == movingBalanced, Cookie: "INGRESSCOOKIE",
		}, addresses)
	}
}

func startModel(t *testing.T, model http.Handler) *limpet {
	t.Helper()
	l := &limpet{http: nextAddress()}
	listener, err := net.Listen("tcp", l.http)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: model, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { server.Close() })
	return l
}

// arrive adds new clients, whose first request goes to one of the controllers.
func (m *migration) arrive(t *testing.T, at *limpet) {
	t.Helper()
	for _, w := range movingModes {
		fresh := newSessions(t, w, len(m.clients), clients/2)
		settle(t, at, fresh)
		m.clients = append(m.clients, fresh...)
	}
}

// moved returns the number of clients whose next two requests do not all go to their pod. They stay at their new pod.
func (m *migration) moved(t *testing.T, at *limpet) int {
	t.Helper()
	var n atomic.Int64
	each(t, m.clients, func(s *session) error {
		home := s.pod
		for range 2 {
			a, err := s.mustGet(at, "/")
			if err != nil {
				return err
			}
			s.pod = a.pod
		}
		if s.pod != home {
			n.Add(1)
		}
		return nil
	})
	return int(n.Load())
}

func (m *migration) expectNoneMoved(t *testing.T, step string, at *limpet) {
	t.Helper()
	if n := m.moved(t, at); n > 0 {
		t.Errorf("%s: %d of %d clients moved", step, n, len(m.clients))
	}
}

// The steps of docs/migrate-from-ingress-nginx.md, with clients that arrive between them. The pods scale while Limpet serves.
func TestMigration_thereAndBack(t *testing.T) {
	m := newMigration(t, "--nginx-cookies")
	m.arrive(t, m.nginx)
	m.expectNoneMoved(t, "before", m.nginx)

	m.expectNoneMoved(t, "tried at Limpet in shadow", m.limpet)
	m.expectNoneMoved(t, "back from shadow", m.nginx)

	m.expectNoneMoved(t, "cut over", m.limpet)
	m.arrive(t, m.limpet)
	m.setPods(t, ready(m.pods...), movingModes...)
	m.usePods(m.pods)
	m.expectNoneMoved(t, "scaled up at Limpet", m.limpet)
	m.arrive(t, m.limpet)

	m.expectNoneMoved(t, "rolled back", m.nginx)
	m.arrive(t, m.nginx)
	m.expectNoneMoved(t, "cut over again", m.limpet)
	m.limpet.stop()
	m.limpet = m.start(t)
	m.expectNoneMoved(t, "without the flag", m.limpet)
}

// Without the flag, ingress-nginx does not know the sessions of Limpet. This shows that the counts above can fail.
func TestMigration_backWithoutFlag(t *testing.T) {
	m := newMigration(t)
	m.arrive(t, m.limpet)
	if n := m.moved(t, m.nginx); n < len(m.clients)/3 {
		t.Errorf("%d of %d clients moved", n, len(m.clients))
	}
}

// A client whose pod has gone gets one cookie, and with it the new pod at both controllers.
func TestMigration_goneWhileAtLimpet(t *testing.T) {
	m := newMigration(t, "--nginx-cookies")
	m.arrive(t, m.nginx)
	m.expectNoneMoved(t, "cut over", m.limpet)
	m.setPods(t, ready(m.pods[1:4]...), movingModes...)
	m.usePods(m.pods[1:4])
	each(t, m.clients, func(s *session) error {
		if s.pod == m.pods[0].name {
			return s.movesOnce(m.limpet)
		}
		_, err := s.mustGet(m.limpet, "/")
		if err == nil && len(s.http.Jar.Cookies(s.site())) != 1 {
			err = fmt.Errorf("%s has the cookies %v", s, s.http.Jar.Cookies(s.site()))
		}
		return err
	})
	m.expectNoneMoved(t, "rolled back", m.nginx)
}
