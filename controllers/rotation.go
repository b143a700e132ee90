package controllers

import (
	"bytes"
	"encoding/base64"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/limpet-dev/limpet/pkg/affinity"
)

// The Secret with the affinity keys. To take a key out of use at once, with all the tokens that it sealed, remove its
// line; if it was the only one, delete the Secret: the leader makes a new one.
const (
	// keysData is the entry that holds the keys, in the format of --affinity-keys: the first line seals, all open.
	keysData = "keys"
	// nextKeyAt is the annotation that says when the leader adds a key. It becomes the second line then, so that it opens
	// tokens everywhere before it seals the first one anywhere.
	nextKeyAt = "limpet.dev/next-key-at"
	// keySealsAt is the annotation that says when the key on the second line is moved to the first.
	keySealsAt = "limpet.dev/key-seals-at"
)

// keptKeys is how many keys the Secret holds. With one a month, a token is opened for 14 months after its key has sealed
// the last one, which is more than the 400 days that browsers keep a cookie (RFC 6265bis, section 5.5).
const keptKeys = 15

// rotation decides what the leader does to the key Secret, and when.
type rotation struct {
	every  time.Duration // 0: never
	settle time.Duration
}

// step changes the Secret to what it should be at a time. It says whether it changed something, and how long it is until
// the next step: 0 if there is none. A Secret whose keys do not parse is somebody's work, and an error.
func (r rotation) step(secret *corev1.Secret, now time.Time) (changed bool, next time.Duration, err error) {
	if len(bytes.TrimSpace(secret.Data[keysData])) == 0 {
		r.write(secret, [][]byte{affinity.NewKey()})
		r.schedule(secret, nextKeyAt, now, r.every)
		return true, r.every, nil
	}
	keys, err := affinity.ParseKeys(secret.Data[keysData])
	if err != nil || r.every == 0 {
		return false, 0, err
	}
	if at, ok := scheduled(secret, keySealsAt); ok {
		if wait := at.Sub(now); wait > 0 {
			return false, wait, nil
		}
		return true, r.promote(secret, keys, now), nil
	}
	at, ok := scheduled(secret, nextKeyAt)
	switch wait := at.Sub(now); {
	case !ok: // keys that somebody else has put there are as good as new ones
		r.schedule(secret, nextKeyAt, now, r.every)
		return true, r.every, nil
	case wait > 0:
		return false, wait, nil
	}
	r.add(secret, keys, now)
	return true, r.settle, nil
}

// add puts a new key on the second line, and drops the oldest ones.
func (r rotation) add(secret *corev1.Secret, keys [][]byte, now time.Time) {
	keys = append([][]byte{keys[0], affinity.NewKey()}, keys[1:]...)
	r.write(secret, keys[:min(len(keys), keptKeys)])
	r.schedule(secret, keySealsAt, now, r.settle)
	r.schedule(secret, nextKeyAt, now, r.every)
}

// promote lets the key on the second line seal, and says how long it does.
func (r rotation) promote(secret *corev1.Secret, keys [][]byte, now time.Time) (next time.Duration) {
	if len(keys) > 1 {
		keys[0], keys[1] = keys[1], keys[0]
		r.write(secret, keys)
	}
	delete(secret.Annotations, keySealsAt)
	at, ok := scheduled(secret, nextKeyAt)
	if !ok {
		r.schedule(secret, nextKeyAt, now, r.every)
		return r.every
	}
	return max(at.Sub(now), time.Second)
}

func (r rotation) write(secret *corev1.Secret, keys [][]byte) {
	var text bytes.Buffer
	for _, key := range keys {
		text.WriteString(base64.StdEncoding.EncodeToString(key) + "\n")
	}
	if secret.Data == nil {
		secret.Data = map[string][]byte{}
	}
	secret.Data[keysData] = text.Bytes()
}

func (r rotation) schedule(secret *corev1.Secret, annotation string, now time.Time, after time.Duration) {
	if r.every == 0 {
		return
	}
	if secret.Annotations == nil {
		secret.Annotations = map[string]string{}
	}
	secret.Annotations[annotation] = now.Add(after).UTC().Format(time.RFC3339)
}

// scheduled reads a time that schedule wrote. One that somebody has spoilt counts as not there.
func scheduled(secret *corev1.Secret, annotation string) (time.Time, bool) {
	at, err := time.Parse(time.RFC3339, secret.Annotations[annotation])
	return at, err == nil
}
