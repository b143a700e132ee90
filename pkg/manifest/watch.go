package manifest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/limpet-dev/limpet/pkg/translate"
)

// Changes that come within settle of each other are read once: an editor makes several of one save. A folder that never
// comes to rest is read every patience.
const (
	settle   = 50 * time.Millisecond
	patience = 500 * time.Millisecond
)

// Watch loads dir at once, and again whenever something in it changes, and hands what Load gives to changed: a World or
// an error, never both. Calls do not overlap. It works with editors that write a new file and rename it, with links to
// files, and with the kubelet's way of swapping a ConfigMap, and survives that dir goes away and comes back.
//
// It returns nil when ctx is done, and an error when watching cannot begin.
func Watch(ctx context.Context, dir string, changed func(*translate.World, error)) error {
	notify, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watch %s: %w", dir, err)
	}
	defer notify.Close()
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return fmt.Errorf("watch %s: %w", dir, err)
	}
	w := &watcher{dir: absolute, notify: notify}
	for {
		// Folders first: what changes while they are read brings an event, and is read again.
		if err := w.watchFolders(); err != nil {
			return fmt.Errorf("watch %s: %w", dir, err)
		}
		world, _, err := Load(dir)
		changed(world, err)
		if !w.wait(ctx) {
			return nil
		}
	}
}

type watcher struct {
	dir    string
	notify *fsnotify.Watcher
	// above are folders in which only dir itself, or what it is a link to, counts.
	above map[string]bool
	// root is what dir is, or is a link to. Empty while it does not exist.
	root string
}

// watchFolders watches every folder that a change can show in. Only the first call may fail: later on, what cannot be
// watched is being changed right now, and the change brings an event from the folder above.
func (w *watcher) watchFolders() error {
	first := w.above == nil
	wanted := w.folders()
	w.above = map[string]bool{}
	for _, path := range []string{w.dir, w.root} {
		if above := filepath.Dir(path); path != "" && !wanted[above] {
			w.above[above] = true
		}
	}
	maps.Copy(wanted, w.above)
	for folder := range wanted {
		if err := w.notify.Add(folder); err != nil && first && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	for _, old := range w.notify.WatchList() {
		if !wanted[old] {
			_ = w.notify.Remove(old) // it may be gone already
		}
	}
	return nil
}

// folders gives dir and all below it, and those that links lead to.
func (w *watcher) folders() map[string]bool {
	out := map[string]bool{}
	var err error
	if w.root, err = filepath.EvalSymlinks(w.dir); err != nil {
		w.root = ""
		return out
	}
	_ = filepath.WalkDir(w.root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return fs.SkipDir // it went away: the folder above tells
		case path != w.root && entry.IsDir() && strings.HasPrefix(entry.Name(), "."):
			return fs.SkipDir
		case entry.IsDir():
			out[path] = true
		case entry.Type()&fs.ModeSymlink != 0:
			if target, err := filepath.EvalSymlinks(path); err == nil {
				out[filepath.Dir(target)] = true
			}
		}
		return nil
	})
	return out
}

// wait returns when there was a change and things have settled, or false when ctx is done.
func (w *watcher) wait(ctx context.Context) bool {
	var quiet, latest <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return false
		case event := <-w.notify.Events:
			if !w.counts(event) {
				continue
			}
		case <-w.notify.Errors: //nolint:errcheck // events were lost: what is there is looked at anew
		case <-quiet:
			return true
		case <-latest:
			return true
		}
		quiet = time.After(settle)
		if latest == nil {
			latest = time.After(patience)
		}
	}
}

// counts passes over what happens beside dir, and over changes of mode, which reading itself may cause.
func (w *watcher) counts(event fsnotify.Event) bool {
	if event.Op == fsnotify.Chmod {
		return false
	}
	return !w.above[filepath.Dir(event.Name)] || event.Name == w.dir || event.Name == w.root
}
