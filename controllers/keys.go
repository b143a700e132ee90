package controllers

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/limpet-dev/limpet/pkg/affinity"
)

// keySecret follows the Secret with the affinity keys: every replica puts its keys to use, the leader also makes and
// rotates them. Whatever is wrong with the Secret, the keys in use stay in use.
type keySecret struct {
	client   client.Client
	name     types.NamespacedName
	rotation rotation
	keys     *affinity.Keys
	leading  func() bool
	// stored is called after the first keys were put to use.
	stored func()
	log    logr.Logger

	trigger trigger
	text    []byte // that the keys in use were read from
}

// Reconcile brings the keys in use and the Secret, if we lead, up to date.
func (k *keySecret) Reconcile(ctx context.Context, _ whole) (reconcile.Result, error) {
	secret := &corev1.Secret{}
	err := k.client.Get(ctx, k.name, secret)
	switch {
	case apierrors.IsNotFound(err):
		secret = nil
	case err != nil:
		return reconcile.Result{}, fmt.Errorf("reading Secret %s: %w", k.name, err)
	default:
		if err := k.use(secret.Data[keysData]); err != nil {
			return reconcile.Result{}, fmt.Errorf("key Secret %s: %w", k.name, err)
		}
	}
	if !k.leading() {
		return reconcile.Result{}, nil
	}
	next, err := k.maintain(ctx, secret)
	return reconcile.Result{RequeueAfter: next}, err
}

// use puts the keys of a text to use, unless it is the text that is in use. An empty one is left to the leader.
func (k *keySecret) use(text []byte) error {
	if len(bytes.TrimSpace(text)) == 0 || bytes.Equal(text, k.text) {
		return nil
	}
	keys, err := affinity.ParseKeys(text)
	if err != nil {
		return err
	}
	ring, err := affinity.NewKeyring(keys)
	if err != nil {
		return err
	}
	first := k.keys.Load() == nil
	k.keys.Store(ring)
	k.text = text
	k.log.Info("Affinity keys put to use", "secret", k.name, "keys", len(keys))
	if first {
		k.stored()
	}
	return nil
}

// maintain creates or rotates the Secret, and says when to look again. Our view of it may be late: the API server then
// answers with a conflict, and the event that we have yet to see brings us back.
func (k *keySecret) maintain(ctx context.Context, secret *corev1.Secret) (time.Duration, error) {
	create := secret == nil
	if create {
		secret = &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: k.name.Namespace, Name: k.name.Name},
			Type:       corev1.SecretTypeOpaque,
		}
	}
	changed, next, err := k.rotation.step(secret, time.Now())
	if err != nil || !changed {
		return next, err
	}
	if create {
		err = k.client.Create(ctx, secret)
	} else {
		err = k.client.Update(ctx, secret)
	}
	if apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("writing Secret %s: %w", k.name, err)
	}
	k.log.Info("Affinity keys written", "secret", k.name, "created", create)
	return next, nil
}
