package controllers

import (
	"bytes"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/limpet-dev/limpet/pkg/affinity"
)

func TestKeys_sharedByReplicas(t *testing.T) {
	newNamespace(t)
	a, b := startReplica(t, "a"), startReplica(t, "b")
	eventually(t, "keys in both", func() bool { return a.keys.Load() != nil && b.keys.Load() != nil })
	sealed := seal(a.keys)
	if !opens(b.keys, sealed) {
		t.Error("b cannot open a token that a sealed")
	}
}

func TestKeys_openBeforeTheySeal(t *testing.T) {
	newNamespace(t)
	r := startReplica(t, "a")
	secret := keySecretObject()
	eventually(t, "the first key", func() bool { return r.keys.Load() != nil })
	old := lines(get(t, secret))
	byOld := seal(r.keys)

	annotate(t, secret, nextKeyAtAnnotation)
	eventually(t, "a second key", func() bool { return len(lines(get(t, secret))) == 2 })
	added := lines(secret)
	if !bytes.Equal(added[0], old[0]) {
		t.Error("the new key seals immediately")
	}
	annotate(t, secret, keySealsAtAnnotation)
	eventually(t, "the second key comes first", func() bool {
		now := lines(get(t, secret))
		return len(now) == 2 && bytes.Equal(now[0], added[1]) && bytes.Equal(now[1], added[0])
	})
	newest := keyringOf(t, added[1])
	eventually(t, "the new key seals here", func() bool {
		keys := new(affinity.Keys)
		keys.Store(newest)
		return opens(keys, seal(r.keys))
	})
	if !opens(r.keys, byOld) {
		t.Error("a token sealed by the old key does not open")
	}
}

func TestKeys_deletedSecretIsRecreated(t *testing.T) {
	newNamespace(t)
	r := startReplica(t, "a")
	eventually(t, "keys", func() bool { return r.keys.Load() != nil })
	byOld := seal(r.keys)
	if err := admin.Delete(t.Context(), keySecretObject()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "other keys", func() bool { return !opens(r.keys, byOld) })
}

func TestKeys_invalidSecretIsKept(t *testing.T) {
	newNamespace(t)
	r := startReplica(t, "a")
	eventually(t, "keys", func() bool { return r.keys.Load() != nil })
	byOld := seal(r.keys)
	secret := keySecretObject()
	change(t, secret, func(s *corev1.Secret) { s.Data[keysDataKey] = []byte("no key\n") })
	good := affinity.NewKey()
	change(t, secret, func(s *corev1.Secret) { // valid keys, to detect that the Secret was read again
		if string(s.Data[keysDataKey]) != "no key\n" {
			t.Errorf("invalid keys were overwritten with %q", s.Data[keysDataKey])
		}
		rotation{}.write(s, [][]byte{good})
	})
	eventually(t, "the valid keys", func() bool {
		keys := new(affinity.Keys)
		keys.Store(keyringOf(t, good))
		return opens(keys, seal(r.keys))
	})
	if opens(r.keys, byOld) {
		t.Error("a key that was taken out of the Secret still opens")
	}
}

// Simulates three years of rotation. Replicas see what the leader wrote after a delay of lag.
func TestRotation_losesNoSession(t *testing.T) {
	r := rotation{every: DefaultKeyRotation, propagationDelay: defaultKeyPropagationDelay}
	const lag = 5 * time.Minute
	const cookieLife = 400 * 24 * time.Hour
	secret := &corev1.Secret{}
	now := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
	known := map[string]time.Time{}  // time at which a key was added
	sealed := map[string]time.Time{} // time at which a key last sealed
	for end := now.AddDate(3, 0, 0); now.Before(end); {
		_, next, err := r.step(secret, now)
		if err != nil || next <= 0 {
			t.Fatalf("at %v: next step in %v, error %v", now, next, err)
		}
		keys := lines(secret)
		for _, key := range keys {
			if _, ok := known[string(key)]; !ok {
				known[string(key)] = now
			}
		}
		if len(known) > 1 && now.Sub(known[string(keys[0])]) < lag {
			t.Fatalf("at %v: a key added at %v seals", now, known[string(keys[0])])
		}
		sealed[string(keys[0])] = now
		for key, last := range sealed {
			if now.Sub(last) < cookieLife && !contains(string(secret.Data[keysDataKey]), key) {
				t.Fatalf("at %v: a key that sealed until %v is gone", now, last)
			}
		}
		now = now.Add(next)
	}
	if len(known) < 30 || len(lines(secret)) != maxKeys {
		t.Errorf("%d keys in three years, %d of them kept; want one a month, and %d", len(known), len(lines(secret)), maxKeys)
	}
}

func TestRotation_foreignSecrets(t *testing.T) {
	key := affinity.NewKey()
	now := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
	theirs := &corev1.Secret{}
	rotation{}.write(theirs, [][]byte{key})
	for _, c := range []struct {
		name    string
		rule    rotation
		secret  *corev1.Secret
		changed bool
		next    time.Duration
		fails   bool
	}{
		{"keys without a schedule get one", rotation{every: time.Hour}, theirs.DeepCopy(), true, time.Hour, false},
		{"keys are left alone without rotation", rotation{}, theirs.DeepCopy(), false, 0, false},
		{"an empty Secret gets a key", rotation{}, &corev1.Secret{}, true, 0, false},
		{"keys that do not parse are an error", rotation{every: time.Hour},
			&corev1.Secret{Data: map[string][]byte{keysDataKey: []byte("x")}}, false, 0, true},
	} {
		changed, next, err := c.rule.step(c.secret, now)
		if changed != c.changed || next != c.next || (err != nil) != c.fails {
			t.Errorf("%s: changed %v, next %v, error %v", c.name, changed, next, err)
		}
	}
}

func lines(secret *corev1.Secret) [][]byte { return bytes.Fields(secret.Data[keysDataKey]) }

// annotate sets a scheduled time to the past.
func annotate(t *testing.T, secret *corev1.Secret, annotation string) {
	t.Helper()
	change(t, secret, func(s *corev1.Secret) {
		if s.Annotations == nil {
			s.Annotations = map[string]string{}
		}
		s.Annotations[annotation] = time.Now().Add(-time.Minute).UTC().Format(time.RFC3339)
	})
}

var token = affinity.Token{Scope: 7, Started: 1, Renewed: 2, Session: 3}

func seal(keys *affinity.Keys) []byte { return keys.Load().Seal(new(affinity.ConnState), nil, &token) }

func opens(keys *affinity.Keys, sealed []byte) bool {
	var opened affinity.Token
	return keys.Load().Open(new(affinity.ConnState), sealed, &opened) && opened == token
}

// keyringOf returns a keyring with one key, given as raw bytes or in the format of the Secret.
func keyringOf(t *testing.T, key []byte) *affinity.Keyring {
	t.Helper()
	keys, err := affinity.ParseKeys(key)
	if err != nil {
		keys = [][]byte{key}
	}
	ring, err := affinity.NewKeyring(keys)
	if err != nil {
		t.Fatal(err)
	}
	return ring
}
