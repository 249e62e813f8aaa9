// SPDX-License-Identifier: Apache-2.0

// Checks a log with golang.org/x/mod/sumdb, which shares no code with munkeyd: the checkpoint, an
// older one, their consistency, an inclusion proof, and every entry by the tiles.
//
//	strangers URL|FOLDER VKEYS OLD-CHECKPOINT INDEX
//
// FOLDER holds what the URLs gave, by their paths; VKEYS the log's keys, the present one last.
package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height, width = 8, 256

func insist(good bool, what ...any) {
	if !good {
		fmt.Fprintln(os.Stderr, append([]any{"refused:"}, what...)...)
		os.Exit(1)
	}
}

func must(err error) { insist(err == nil, err) }

func get(base, path string) []byte {
	if !strings.HasPrefix(base, "http") {
		data, err := os.ReadFile(base + path)
		must(err)
		return data
	}
	reply, err := http.Get(base + path)
	must(err)
	data, err := io.ReadAll(reply.Body)
	must(err)
	insist(reply.StatusCode == 200, path, reply.Status)
	return data
}

func parseHashes(text string) (hashes []tlog.Hash) {
	lines := strings.Split(text, "\n")
	for _, line := range lines[:len(lines)-1] {
		hash, err := tlog.ParseHash(line)
		insist(err == nil && hash.String() == line, "no hash")
		hashes = append(hashes, hash)
	}
	insist(lines[len(lines)-1] == "", "a line without an end")
	return hashes
}

func parseNumber(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	must(err)
	insist(strconv.FormatInt(n, 10) == text, "a number that is spelt otherwise")
	return n
}

// Opens a checkpoint with the keys of the log that they name.
func open(text []byte, vkeys []string) (tree tlog.Tree, origin string) {
	var verifiers []note.Verifier
	for _, line := range vkeys {
		verifier, err := note.NewVerifier(line)
		must(err)
		verifiers = append(verifiers, verifier)
	}
	opened, err := note.Open(text, note.VerifierList(verifiers...))
	must(err)
	lines := strings.Split(opened.Text, "\n")
	insist(len(lines) == 4 && lines[3] == "", "a checkpoint of other lines")
	insist(lines[0] == verifiers[0].Name(), "another log's checkpoint")
	return tlog.Tree{N: parseNumber(lines[1]), Hash: parseHashes(lines[2] + "\n")[0]}, lines[0]
}

// The path of a tile: C2SP leaves out the height that sumdb writes.
func path(tile tlog.Tile) string {
	path := strings.Replace(tile.Path(), "tile/8/", "/log/tile/", 1)
	return strings.Replace(path, "/data/", "/entries/", 1)
}

// tiles serves tlog.TileHashReader.
type tiles string

func (base tiles) Height() int                     { return height }
func (base tiles) SaveTiles([]tlog.Tile, [][]byte) {}
func (base tiles) ReadTiles(wanted []tlog.Tile) (data [][]byte, err error) {
	for _, tile := range wanted {
		data = append(data, get(string(base), path(tile)))
	}
	return data, nil
}

// Every entry, out of the tiles of entries.
func entries(base string, size int) (all [][]byte) {
	for n := 0; n < size; n += width {
		tile := tlog.Tile{H: height, L: -1, N: int64(n / width), W: width}
		if size-n < width {
			tile.W = size - n
		}
		data := get(base, path(tile))
		for i := 0; i < tile.W; i++ {
			insist(len(data) >= 2, "a short tile")
			end := 2 + int(binary.BigEndian.Uint16(data))
			insist(len(data) >= end, "a short tile")
			all, data = append(all, data[2:end]), data[end:]
		}
		insist(len(data) == 0, "a tile with more than its entries")
	}
	return all
}

func main() {
	base, index := os.Args[1], parseNumber(os.Args[4])
	vkeys := strings.Fields(string(get("", os.Args[2])))
	tree, origin := open(get(base, "/log/checkpoint"), vkeys[len(vkeys)-1:])
	old, _ := open(get("", os.Args[3]), vkeys)
	consistency := get(base, fmt.Sprintf("/log/consistency?from=%d&to=%d", old.N, tree.N))
	must(tlog.CheckTree(parseHashes(string(consistency)), tree.N, tree.Hash, old.N, old.Hash))
	reader := tlog.TileHashReader(tree, tiles(base))
	all := entries(base, int(tree.N))
	var indexes []int64
	for i := range all {
		indexes = append(indexes, tlog.StoredHashIndex(0, int64(i)))
	}
	hashes, err := reader.ReadHashes(indexes)
	must(err)
	for i, entry := range all {
		insist(tlog.RecordHash(entry) == hashes[i], "another entry", i)
		insist(strings.Contains(string(entry), `"iss":"`+origin+`"`), "an entry of another log")
	}
	root, err := tlog.TreeHash(old.N, reader)
	must(err)
	insist(root == old.Hash, "the older checkpoint is not of this log")
	proof := string(get(base, "/log/proof/"+os.Args[4]))
	head := fmt.Sprintf("c2sp.org/tlog-proof@v1\nindex %d\n", index)
	insist(strings.HasPrefix(proof, head) && index < int64(len(all)), "another proof")
	lines, checkpoint, _ := strings.Cut(proof[len(head)-1:], "\n\n")
	proved, _ := open([]byte(checkpoint), vkeys)
	must(tlog.CheckRecord(parseHashes(strings.TrimPrefix(lines+"\n", "\n")), proved.N, proved.Hash, index,
		tlog.RecordHash(all[index])))
	fmt.Println(tree.N, "entries hold")
}
