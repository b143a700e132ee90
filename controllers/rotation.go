package controllers

import (
	"bytes"
	"encoding/base64"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/limpet-dev/limpet/pkg/affinity"
)

// Contents of the Secret with the affinity keys. To revoke a key, and with it all tokens that it sealed, remove its
// line. To revoke the only key, delete the Secret: the leader creates a new one.
const (
	// keysDataKey is the data key of the affinity keys, in the format of --affinity-keys. The first line seals, all
	// lines open.
	keysDataKey = "keys"
	// nextKeyAtAnnotation is the time at which the leader adds a key on the second line. There it opens tokens in
	// every replica before any replica seals with it.
	nextKeyAtAnnotation = "limpet.dev/next-key-at"
	// keySealsAtAnnotation is the time at which the key on the second line moves to the first line.
	keySealsAtAnnotation = "limpet.dev/key-seals-at"
)

// maxKeys is the number of keys that the Secret holds. With one key a month, a key opens tokens for 14 months after
// it sealed the last one. Browsers keep a cookie for at most 400 days (RFC 6265bis, section 5.5).
const maxKeys = 15

// rotation decides when and how the leader changes the key Secret.
type rotation struct {
	every            time.Duration // how long a key seals; zero disables rotation
	propagationDelay time.Duration // time between adding a key and sealing with it
}

// step applies the changes that are due to the Secret. It returns whether it changed the Secret, and the time until
// the next step, or 0 if there is no next step. If the keys do not parse, another writer has replaced them, and step returns
// an error.
func (r rotation) step(secret *corev1.Secret, now time.Time) (changed bool, next time.Duration, err error) {
	if len(bytes.TrimSpace(secret.Data[keysDataKey])) == 0 {
		r.write(secret, [][]byte{affinity.NewKey()})
		r.schedule(secret, nextKeyAtAnnotation, now, r.every)
		return true, r.every, nil
	}
	keys, err := affinity.ParseKeys(secret.Data[keysDataKey])
	if err != nil || r.every == 0 {
		return false, 0, err
	}
	if at, ok := scheduled(secret, keySealsAtAnnotation); ok {
		if wait := at.Sub(now); wait > 0 {
			return false, wait, nil
		}
		return true, r.promote(secret, keys, now), nil
	}
	at, ok := scheduled(secret, nextKeyAtAnnotation)
	switch wait := at.Sub(now); {
	case !ok: // keys of unknown age count as new
		r.schedule(secret, nextKeyAtAnnotation, now, r.every)
		return true, r.every, nil
	case wait > 0:
		return false, wait, nil
	}
	r.add(secret, keys, now)
	return true, r.propagationDelay, nil
}

// add inserts a new key on the second line and drops the oldest keys beyond maxKeys.
func (r rotation) add(secret *corev1.Secret, keys [][]byte, now time.Time) {
	keys = append([][]byte{keys[0], affinity.NewKey()}, keys[1:]...)
	r.write(secret, keys[:min(len(keys), maxKeys)])
	r.schedule(secret, keySealsAtAnnotation, now, r.propagationDelay)
	r.schedule(secret, nextKeyAtAnnotation, now, r.every)
}

// promote makes the key on the second line the sealing key. It returns the time until the next key is added.
func (r rotation) promote(secret *corev1.Secret, keys [][]byte, now time.Time) (next time.Duration) {
	if len(keys) > 1 {
		keys[0], keys[1] = keys[1], keys[0]
		r.write(secret, keys)
	}
	delete(secret.Annotations, keySealsAtAnnotation)
	at, ok := scheduled(secret, nextKeyAtAnnotation)
	if !ok {
		r.schedule(secret, nextKeyAtAnnotation, now, r.every)
		return r.every
	}
	return max(at.Sub(now), time.Second)
}

// write stores keys in the Secret, one per line.
func (r rotation) write(secret *corev1.Secret, keys [][]byte) {
	var text bytes.Buffer
	for _, key := range keys {
		text.WriteString(base64.StdEncoding.EncodeToString(key) + "\n")
	}
	if secret.Data == nil {
		secret.Data = map[string][]byte{}
	}
	secret.Data[keysDataKey] = text.Bytes()
}

// schedule sets an annotation to the time after now. It does nothing if rotation is disabled.
func (r rotation) schedule(secret *corev1.Secret, annotation string, now time.Time, after time.Duration) {
	if r.every == 0 {
		return
	}
	if secret.Annotations == nil {
		secret.Annotations = map[string]string{}
	}
	secret.Annotations[annotation] = now.Add(after).UTC().Format(time.RFC3339)
}

// scheduled parses a time set by schedule. It returns false if the annotation is missing or invalid.
func scheduled(secret *corev1.Secret, annotation string) (time.Time, bool) {
	at, err := time.Parse(time.RFC3339, secret.Annotations[annotation])
	return at, err == nil
}
