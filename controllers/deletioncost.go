package controllers

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// PodSessions is the number of sessions of a pod in one pool. A pod in several pools has one for each.
type PodSessions struct {
	Pool     string
	Pod      types.NamespacedName
	UID      types.UID
	Sessions int64
}

// deletionCosts are the known values of the annotation controller.kubernetes.io/pod-deletion-cost of pods.
type deletionCosts struct {
	written map[types.UID]int32
	// foreign are the pods whose annotation another field manager owns, such as a person with kubectl.
	foreign map[types.UID]bool
}

// costChange is the annotation to write to one pod.
type costChange struct {
	pod  types.NamespacedName
	uid  types.UID
	cost int32
}

// changes returns the annotations to write. Those of a pool change only if the order of the annotations is not the order of the
// sessions. The cost of a pod is the number of its sessions in all pools.
func (d *deletionCosts) changes(pods []PodSessions) (out []costChange) {
	total, poolsOf, pools := map[types.UID]int64{}, map[types.UID][]string{}, map[string][]PodSessions{}
	for _, p := range pods {
		total[p.UID] += p.Sessions
		poolsOf[p.UID] = append(poolsOf[p.UID], p.Pool)
		pools[p.Pool] = append(pools[p.Pool], p)
	}
	var queue []string
	for name, members := range pools {
		if !d.isOrdered(members, total) {
			queue = append(queue, name)
		}
	}
	isChanged, isDone := map[string]bool{}, map[types.UID]bool{}
	for len(queue) > 0 {
		name := queue[0]
		if queue = queue[1:]; isChanged[name] {
			continue
		}
		isChanged[name] = true
		for _, p := range pools[name] {
			if isDone[p.UID] {
				continue
			}
			isDone[p.UID] = true
			queue = append(queue, poolsOf[p.UID]...) // their other pods are compared with this one
			if cost := costOf(total[p.UID]); cost != d.written[p.UID] {
				out = append(out, costChange{p.Pod, p.UID, cost})
			}
		}
	}
	slices.SortFunc(out, func(a, b costChange) int {
		return cmp.Or(cmp.Compare(a.pod.Namespace, b.pod.Namespace), cmp.Compare(a.pod.Name, b.pod.Name), cmp.Compare(a.uid, b.uid))
	})
	return out
}

func costOf(sessions int64) int32 { return int32(min(sessions, math.MaxInt32)) }

// minDifference is the part of the sessions of a pod, as 1/n, by which another must have fewer to count as emptier. The numbers
// are estimates. Without it, pods with nearly the same number would take turns.
const minDifference = 20

// isOrdered reports whether each pod of a pool costs more than those with clearly fewer sessions. An unwritten cost is zero, as
// it is for Kubernetes.
func (d *deletionCosts) isOrdered(pods []PodSessions, total map[types.UID]int64) bool {
	own := slices.DeleteFunc(slices.Clone(pods), func(p PodSessions) bool { return d.foreign[p.UID] })
	slices.SortFunc(own, func(a, b PodSessions) int { return cmp.Compare(total[a.UID], total[b.UID]) })
	emptier, highest := 0, int32(math.MinInt32) // how many pods are clearly emptier, and the highest cost of these
	for _, p := range own {
		n := total[p.UID]
		for ; total[own[emptier].UID] < n-n/minDifference; emptier++ {
			highest = max(highest, d.written[own[emptier].UID])
		}
		if emptier > 0 && d.written[p.UID] <= highest {
			return false
		}
	}
	return true
}

// forget drops what is known of pods that do not exist anymore.
func (d *deletionCosts) forget(pods []PodSessions) {
	exists := map[types.UID]bool{}
	for _, p := range pods {
		exists[p.UID] = true
	}
	for uid := range d.written {
		if !exists[uid] {
			delete(d.written, uid)
		}
	}
	for uid := range d.foreign {
		if !exists[uid] {
			delete(d.foreign, uid)
		}
	}
}

// deletionCostWriter annotates pods with their number of sessions, so that a ReplicaSet that is scaled down deletes the emptiest
// pods first.
type deletionCostWriter struct {
	client client.Client
	count  func(context.Context) ([]PodSessions, error)
	every  time.Duration
	log    logr.Logger
}

// defaultDeletionCostEvery is the shortest time between two changes of the annotations of a pool.
const defaultDeletionCostEvery = time.Minute

// run writes until ctx is done. It is a task of the leader. The first time passes before the first write, so that a new leader
// does not write right after the old one.
func (w *deletionCostWriter) run(ctx context.Context) {
	costs := &deletionCosts{map[types.UID]int32{}, map[types.UID]bool{}}
	timer := time.NewTicker(w.every)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			w.update(ctx, costs)
		}
	}
}

// update counts sessions and writes what has changed.
func (w *deletionCostWriter) update(ctx context.Context, costs *deletionCosts) {
	pods, err := w.count(ctx)
	if err != nil {
		if ctx.Err() == nil {
			w.log.Info("Deletion costs not updated", "cause", err.Error())
		}
		return
	}
	costs.forget(pods)
	for _, change := range costs.changes(pods) {
		if ctx.Err() != nil {
			return
		}
		w.write(ctx, costs, &change)
	}
}

func (w *deletionCostWriter) write(ctx context.Context, costs *deletionCosts, change *costChange) {
	err := w.apply(ctx, change)
	switch {
	case err == nil:
		costs.written[change.uid] = change.cost
		delete(costs.foreign, change.uid)
	case apierrors.IsConflict(err):
		if !costs.foreign[change.uid] {
			w.log.Info("Deletion cost left alone, because another field manager owns it, or the pod was replaced",
				"pod", change.pod.String(), "cause", err.Error())
		}
		costs.foreign[change.uid] = true
	case ctx.Err() == nil && !apierrors.IsNotFound(err):
		w.log.Error(err, "Failed to write a deletion cost", "pod", change.pod.String())
	}
}

// deletionCostManager owns the annotations that Limpet has written.
const deletionCostManager = client.FieldOwner("limpet-pod-deletion-cost")

// apply writes the annotation with server-side apply. It fails with a conflict if another field manager owns the annotation, or
// if the pod has another UID.
func (w *deletionCostWriter) apply(ctx context.Context, change *costChange) error {
	patch, err := json.Marshal(map[string]any{
		"apiVersion": "v1", "kind": "Pod",
		"metadata": map[string]any{
			"uid":         change.uid,
			"annotations": map[string]string{corev1.PodDeletionCost: strconv.Itoa(int(change.cost))},
		},
	})
	if err != nil {
		return fmt.Errorf("encoding the annotation: %w", err)
	}
	pod := &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Namespace: change.pod.Namespace, Name: change.pod.Name}}
	pod.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Pod"))
	return w.client.Patch(ctx, pod, client.RawPatch(types.ApplyPatchType, patch), deletionCostManager)
}
