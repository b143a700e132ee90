package routing

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/upstream"
)

// Two replicas learn of hosts in another order and by another history.
func TestDigest_ignoresTheOrderOfChanges(t *testing.T) {
	random, pools := rand.New(rand.NewPCG(3, 4)), upstream.NewRegistry()
	hosts := []string{"", model.HostUnmatched, "*.foo.com", "a.foo.com", "b.foo.com", "bar.com"}
	for range 50 {
		var table *Table
		last := map[string]model.HostChange{}
		for range 20 {
			c := randomChange(random, hosts[random.IntN(len(hosts))])
			table, last[c.Name] = table.With([]model.HostChange{c}, pools, time.Time{}), c
		}
		changes := slices.Collect(maps.Values(last))
		random.Shuffle(len(changes), func(i, j int) { changes[i], changes[j] = changes[j], changes[i] })
		var other *Table
		other = other.With(changes, pools, time.Time{})
		if table.Digest() != other.Digest() || table.Digest() == 0 || table.Digest() >= 1<<48 {
			t.Fatalf("the digests are %d after all changes, and %d after the last of each host", table.Digest(), other.Digest())
		}
	}
}

func TestDigest_changesWithTheTable(t *testing.T) {
	pools := upstream.NewRegistry()
	base := func() *model.Model {
		r := routes("Prefix:a.example/", "Prefix:b.example/")
		r[0].Filters = &model.Filters{ExternalAuth: &model.ExternalAuth{URL: "https://auth.example"}}
		r[0].Backends[0].Transport.CertificatePEM = "pem"
		r[0].Fallback = &model.Backend{Pool: model.PoolID{Namespace: "shop", Service: "spare", Port: 80}}
		return &model.Model{Routes: r, Hosts: []model.Host{{Name: "a.example"}}}
	}
	digestWith := func(change func(*model.Model)) uint64 {
		m := base()
		change(m)
		return Compile(m, pools, nil, time.Now()).Digest()
	}
	seen := map[uint64]string{digestWith(func(*model.Model) {}): "no change"}
	for name, change := range map[string]func(*model.Model){
		"host removed":   func(m *model.Model) { m.Routes = m.Routes[:1] },
		"path":           func(m *model.Model) { m.Routes[0].Path = "/x" },
		"closed":         func(m *model.Model) { m.Routes[0].Closed = "because" },
		"source":         func(m *model.Model) { m.Routes[0].Source.Name = "y" },
		"weight":         func(m *model.Model) { m.Routes[0].Backends[0].Weight++ },
		"CA of pods":     func(m *model.Model) { m.Routes[0].Backends[0].Transport.AuthorityPEM = "ca" },
		"certificate":    func(m *model.Model) { m.Routes[0].Backends[0].Transport.CertificatePEM = "mep" },
		"CA of fallback": func(m *model.Model) { m.Routes[0].Fallback.Transport.AuthorityPEM = "fallback" },
		"CA of auth":     func(m *model.Model) { m.Routes[0].Filters.ExternalAuth.AuthorityPEM = "auth" },
		"settings":       func(m *model.Model) { m.Hosts[0].MinVersion = 0x0304 },
		"owner":          func(m *model.Model) { m.Owners = []model.HostOwner{{Host: "a.example", Namespace: "shop"}} },
	} {
		d := digestWith(change)
		if other, found := seen[d]; found {
			t.Errorf("%s: the digest equals that of %s", name, other)
		}
		seen[d] = name
	}
	if digestWith(func(*model.Model) {}) != digestWith(func(m *model.Model) {
		m.Routes[0].Backends[0].Transport.KeyPEM = "key"
	}) {
		t.Error("the digest depends on a private key")
	}
}

func TestDigest_emptyTable(t *testing.T) {
	pools := upstream.NewRegistry()
	full := Compile(&model.Model{Routes: routes("Prefix:a.example/", "Prefix:/")}, pools, nil, time.Now())
	empty := full.With([]model.HostChange{{Name: "a.example"}, {Name: ""}}, pools, time.Now())
	if (*Table)(nil).Digest() != 0 || full.Digest() == 0 || empty.Digest() != 0 {
		t.Errorf("got %d with hosts and %d without", full.Digest(), empty.Digest())
	}
}
