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

// keyReconciler loads the affinity keys from their Secret in every replica. In the leader it also creates the
// Secret and rotates the keys. If the Secret is missing or invalid, the keys in use stay in use. With Options.Shadow there is
// no leader: any replica creates a missing Secret, and none rotates the keys.
type keyReconciler struct {
	client   client.Client
	name     types.NamespacedName
	rotation rotation
	keys     *affinity.Keys
	leading  func() bool
	shadow   bool
	// onFirstKeys is called once, after the first keys were loaded.
	onFirstKeys func()
	log         logr.Logger

	trigger trigger

	// Owned by Reconcile, which is never called concurrently.
	text []byte // the Secret data that the keys in use were parsed from
}

// Reconcile loads the keys from the Secret and, in the leader, creates or rotates them.
func (k *keyReconciler) Reconcile(ctx context.Context, _ singleton) (reconcile.Result, error) {
	secret := &corev1.Secret{}
	err := k.client.Get(ctx, k.name, secret)
	switch {
	case apierrors.IsNotFound(err):
		secret = nil
	case err != nil:
		return reconcile.Result{}, fmt.Errorf("reading Secret %s: %w", k.name, err)
	default:
		if err := k.use(secret.Data[keysDataKey]); err != nil {
			return reconcile.Result{}, fmt.Errorf("parsing affinity keys in Secret %s: %w", k.name, err)
		}
	}
	if !k.leading() && (!k.shadow || secret != nil) {
		return reconcile.Result{}, nil
	}
	next, err := k.maintain(ctx, secret)
	return reconcile.Result{RequeueAfter: next}, err
}

// use parses text and starts using its keys, unless they are in use already. Empty text is ignored: the leader
// replaces it.
func (k *keyReconciler) use(text []byte) error {
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
	k.log.Info("Loaded affinity keys", "secret", k.name, "keys", len(keys))
	if first {
		k.onFirstKeys()
	}
	return nil
}

// maintain creates or rotates the Secret and returns the time until the next step.
//
// The cached Secret may be outdated. The API server then responds with a conflict, and the pending watch event
// triggers the next reconciliation.
func (k *keyReconciler) maintain(ctx context.Context, secret *corev1.Secret) (time.Duration, error) {
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
	k.log.Info("Wrote affinity keys", "secret", k.name, "created", create)
	return next, nil
}
