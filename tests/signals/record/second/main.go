// A second implementation reads a record that Argo wrote: Go's sumdb/note and sumdb/tlog.
//
// Arguments: the record's folder or address, the log's verifier key, the witness's name and its
// Ed25519 key in base64 (both empty without a witness), and perhaps a file of proofs that Argo made.
// It prints "ok", or the first thing that is wrong.
package main

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

// witness verifies cosignatures (C2SP tlog-cosignature), which sumdb/note does not know.
type witness struct {
	name string
	key  ed25519.PublicKey
}

func (w witness) Name() string { return w.name }

func (w witness) KeyHash() uint32 {
	sum := sha256.Sum256(append([]byte(w.name+"\n\x04"), w.key...))
	return binary.BigEndian.Uint32(sum[:])
}

func (w witness) Verify(msg, sig []byte) bool {
	if len(sig) != 72 {
		return false
	}
	time := binary.BigEndian.Uint64(sig)
	text := fmt.Sprintf("cosignature/v1\ntime %d\n%s", time, msg)
	return ed25519.Verify(w.key, []byte(text), sig[8:])
}

// folder reads tiles from files, as tlog-tiles names them: without sumdb's height.
type folder string

func (f folder) Height() int                         { return height }
func (f folder) SaveTiles(_ []tlog.Tile, _ [][]byte) {}

func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var found [][]byte
	for _, tile := range tiles {
		data, err := f.read(tile)
		if err != nil {
			return nil, err
		}
		found = append(found, data)
	}
	return found, nil
}

// seen keeps what was fetched: each proof reads the same tiles.
var seen = map[string][]byte{}

func (f folder) file(name string) ([]byte, error) {
	if data, ok := seen[name]; ok {
		return data, nil
	}
	data, err := f.fetch(name)
	if err == nil {
		seen[name] = data
	}
	return data, err
}

func (f folder) fetch(name string) ([]byte, error) {
	if !strings.HasPrefix(string(f), "http") {
		return os.ReadFile(filepath.Join(string(f), name))
	}
	answer, err := http.Get(string(f) + "/" + name)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode == http.StatusNotFound {
		return nil, os.ErrNotExist
	}
	return io.ReadAll(answer.Body)
}

func (f folder) read(tile tlog.Tile) ([]byte, error) {
	name := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
	data, err := f.file(name)
	if os.IsNotExist(err) && tile.W < 1<<height {
		full := tile
		full.W = 1 << height
		name = strings.Replace(full.Path(), "tile/8/", "tile/", 1)
		if data, err = f.file(name); err == nil {
			data = data[:tile.W*tlog.HashSize]
		}
	}
	return data, err
}

// proofs are those that Argo made; hashes are in base64.
type proofs struct {
	Inclusion []struct {
		Index int64
		Proof []tlog.Hash
	}
	Consistency []struct {
		Old   int64
		Root  tlog.Hash
		Proof []tlog.Hash
	}
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func main() {
	log.SetFlags(0)
	root := folder(os.Args[1])
	tree := opened(root, os.Args[2], os.Args[3], os.Args[4])
	leaves := entries(root, tree.N)
	reader := tlog.TileHashReader(tree, root)
	checkOwn(tree, reader, leaves)
	if len(os.Args) < 6 {
		fmt.Println("ok")
		return
	}
	var given proofs
	data, err := os.ReadFile(os.Args[5])
	must(err)
	must(json.Unmarshal(data, &given))
	checkGiven(tree, given, leaves)
	fmt.Println("ok")
}

func opened(root folder, logKey, name, key string) tlog.Tree {
	data, err := root.file("checkpoint")
	must(err)
	verifier, err := note.NewVerifier(logKey)
	must(err)
	public, err := base64.StdEncoding.DecodeString(key)
	must(err)
	verifiers := []note.Verifier{verifier}
	if name != "" {
		verifiers = append(verifiers, witness{name, public})
	}
	opened, err := note.Open(data, note.VerifierList(verifiers...))
	must(err)
	if len(opened.Sigs) != len(verifiers) {
		log.Fatalf("%d signatures are valid, not those of log and witness", len(opened.Sigs))
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() {
		log.Fatalf("not a checkpoint: %q", opened.Text)
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	must(err)
	hash, err := tlog.ParseHash(lines[2])
	must(err)
	return tlog.Tree{N: size, Hash: hash}
}

func entries(root folder, size int64) []tlog.Hash {
	var found []tlog.Hash
	for int64(len(found)) < size {
		tile := tlog.Tile{H: height, L: 0, N: int64(len(found)) >> height, W: 1 << height}
		if left := size - int64(len(found)); left < 1<<height {
			tile.W = int(left)
		}
		name := strings.Replace(tile.Path(), "tile/8/0/", "tile/entries/", 1)
		data, err := root.file(name)
		must(err)
		for len(data) > 0 {
			length := int(binary.BigEndian.Uint16(data))
			found = append(found, tlog.RecordHash(data[2:2+length]))
			data = data[2+length:]
		}
	}
	return found
}

// checkOwn proves each entry and each older tree from Argo's tiles, and checks the proofs.
func checkOwn(tree tlog.Tree, reader tlog.HashReader, leaves []tlog.Hash) {
	for index, leaf := range leaves {
		proof, err := tlog.ProveRecord(tree.N, int64(index), reader)
		must(err)
		must(tlog.CheckRecord(proof, tree.N, tree.Hash, int64(index), leaf))
	}
	for size := int64(1); size <= tree.N; size += 7 {
		old, err := tlog.TreeHash(size, reader)
		must(err)
		proof, err := tlog.ProveTree(tree.N, size, reader)
		must(err)
		must(tlog.CheckTree(proof, tree.N, tree.Hash, size, old))
	}
}

func checkGiven(tree tlog.Tree, given proofs, leaves []tlog.Hash) {
	if len(given.Inclusion) == 0 || len(given.Consistency) == 0 {
		log.Fatal("there are no proofs to check")
	}
	for _, each := range given.Inclusion {
		must(tlog.CheckRecord(each.Proof, tree.N, tree.Hash, each.Index, leaves[each.Index]))
	}
	for _, each := range given.Consistency {
		must(tlog.CheckTree(each.Proof, tree.N, tree.Hash, each.Old, each.Root))
	}
}
