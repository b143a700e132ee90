package controllers

import (
	"fmt"
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/types"
)

func TestMirror_notifiesOfChanges(t *testing.T) {
	s := newPodStore()
	var changes []string
	uid := func(p *cachedPod) types.UID {
		if p == nil {
			return "-"
		}
		return p.uid
	}
	s.mirror.onChange = func(before, pod *cachedPod) { changes = append(changes, fmt.Sprint(uid(before), ">", uid(pod))) }
	expect := func(what string, want ...string) {
		t.Helper()
		if !slices.Equal(changes, want) {
			t.Errorf("%s: %v, want %v", what, changes, want)
		}
		changes = nil
	}
	select {
	case <-s.mirror.synced:
		t.Error("synced before the first list")
	default:
	}
	list(t, s, listedPod("a", "1"), listedPod("b", "2"))
	if err := s.mirror.waitForSync(t.Context()); err != nil {
		t.Error(err)
	}
	expect("the first list", "->1", "->2")
	_ = s.Update(listedPod("a", "1"))
	expect("nothing that is read changed")
	_ = s.Update(listedPod("a", "1", "app", "shop"))
	expect("a label", "1>1")
	_ = s.Update(listedPod("a", "3", "app", "shop"))
	expect("created again", "1>3")
	_ = s.Delete(listedPod("b", "2"))
	_ = s.Delete(listedPod("b", "2"))
	expect("deleted", "2>-")
	_ = s.Add(listedPod("b", "4"))
	expect("added", "->4")
	if err := s.Replace([]any{listedPod("c", "5"), listedPod("a", "3", "app", "shop")}, "9"); err != nil {
		t.Fatal(err)
	}
	expect("another list", "->5", "4>-")
	if s.Add("a pod") == nil || s.Delete("a pod") == nil || s.Replace([]any{"a pod"}, "9") == nil {
		t.Error("no error for another type")
	}
}

func TestMirror_syncedByAllReflectors(t *testing.T) {
	shop, other := newPodStore(), newPodStore()
	m := newMirror[cachedPod](2)
	shop.mirror, shop.namespace, other.mirror, other.namespace = m, "shop", m, "other"
	foreign := listedPod("a", "1")
	foreign.Namespace = "other"
	list(t, other, foreign)
	list(t, other, foreign)
	select {
	case <-m.synced:
		t.Error("synced before the second reflector")
	default:
	}
	list(t, shop, listedPod("a", "2"))
	list(t, shop)
	<-m.synced
	if m.get(types.NamespacedName{Namespace: "other", Name: "a"}) == nil || podOf(shop, "a") != nil {
		t.Error("the list of a namespace replaced the pods of another one")
	}
}

func TestPackTexts_keepsTexts(t *testing.T) {
	texts := []string{"a", "", "bcd", "e"}
	packTexts(&texts[0], &texts[1], &texts[2], &texts[3])
	if !slices.Equal(texts, []string{"a", "", "bcd", "e"}) {
		t.Errorf("got %q", texts)
	}
	packTexts()
}
