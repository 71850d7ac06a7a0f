"""Text that names files: the suffix of a cell, and what to do about files of unsupported formats."""

from __future__ import annotations

import re
from collections import Counter

from sensorium.table import Column, bare_path, is_address, is_gap_word, without_query

LOOKED_AT = 1000
MOSTLY = 0.9  # share of the cells that must look like paths
SOME = 0.1  # … for a caution if the others are plain words
LONGEST = 1000  # characters of a path
SUFFIX = re.compile(
    r"(?:\.(?:nii|tar|ome))?\.[A-Za-z0-9][A-Za-z0-9_-]{0,9}(?:\.(?:gz|bz2|xz|zst|zip))?$", re.IGNORECASE
)
# Well-known suffixes of files, by what to do about them.
KINDS = {
    "convert the images to .png or .jpg, with pillow-heif for example": "heic heics heif heifs hif",
    "convert the images to .png or .jpg": """
        avif jp2 j2k jpx jpf jxl jfif jpe svg eps ai psd xcf raw cr2 cr3 nef arw dng orf rw2 raf ico icns
        tga dds exr hdr pcx pnm pbm xbm webp apng emf wmf djvu fits fit fts ras sgi png jpg jpeg bmp gif tif tiff""",
    "convert the audio files to .wav or .flac": """
        aac wma amr 3gp 3ga ape wv mka mpc mp2 mp1 ra rm mid midi dss gsm vox sph au aiff aif m4b ac3 dts wav mp3 flac
        ogg opus m4a""",
    "convert the videos to .mp4": "wmv flv mpg mpeg vob ts mts m2ts 3g2 ogv asf rmvb swf mxf mp4 mov avi mkv webm m4v",
    "convert the slides to .png, or cut them into tiles": "svs ndpi mrxs scn vsi czi lif nd2 oib oif lsm bif qptiff",
    "convert the scans to NIfTI (.nii.gz) or DICOM": "mha mhd nrrd mgz mgh mnc img hdr ima par rec v3draw minc dcm nii",
    "convert the arrays to .npy, .csv or .parquet": """
        mat h5 hdf5 hdf npz pt pth pkl pickle joblib safetensors zarr nc cdf edf bdf gdf fif set vhdr dat hea wfdb xdf
        feather arrow orc tdms root sav dta rds rda rdata xpt fcs npy csv tsv parquet pq""",
    "convert the documents to .pdf": "doc docx odt rtf ppt pptx odp epub mobi pages key tex ps pdf",
    "read the text of the files into the column": """
        txt md html htm xml json jsonl yaml yml log srt vtt eml msg py c java""",
    "read each sheet into the table, or convert it to .csv": "xls xlsx xlsm ods",
    "convert them to arrays (.npy) or images": """
        obj stl ply off gltf glb fbx pcd las laz xyz pdb cif sdf mol mol2 smi fasta fa fastq bam vcf mzml shp gpx
        kml""",
    "unpack the files": "zip gz tar tgz rar 7z bz2 xz zst",
}
CURES = {suffix: cure for cure, suffixes in KINDS.items() for suffix in suffixes.split()}
# What else follows a dot: parts of host names, versions and abbreviations.
NO_SUFFIX = """com org net edu gov io ai co uk de fr ch at it es nl eu us ru cn jp in br info biz dev app me tv inc ltd
    jr sr""".split()  # noqa: SIM905 - a list of words is read as such


def path_name(cell: str) -> str:
    """Return the last part of a path or URL in lower case, without surrounding blanks, quotes and a query."""
    path = bare_path(cell)
    if not SUFFIX.search(path):
        path = without_query(path)
    return re.split(r"[/\\]", path)[-1].lower()


def suffix_of(cell: str) -> str:
    """Return the suffix of a path with its dot, `.nii.gz` for two; empty if the cell does not look like a path."""
    if "." not in cell or len(cell) > LONGEST or "\n" in cell.strip():
        return ""
    if "@" in cell and not re.search(r"[/\\]", cell):
        return ""
    found = SUFFIX.search(path_name(cell))
    suffix = found.group() if found else ""
    last = suffix.rpartition(".")[2]
    if last in CURES:
        return suffix
    folders = re.search(r"[/\\]", bare_path(cell)) is not None and not is_address(cell)
    plain = not last.isdigit() and " " not in cell.strip()
    return suffix if folders and plain and last not in NO_SUFFIX else ""


def several_paths(cell: str) -> list[str] | None:
    """Split `front.jpg|back.jpg` into paths; None unless each has a suffix (else `|` may be part of a name)."""
    if "." not in cell:
        return None
    for separator in ("|", ";", "\n", ","):
        parts = [part.strip() for part in cell.split(separator) if part.strip()] if separator in cell else []
        if len(parts) > 1 and len(cell) <= LONGEST * len(parts) and all(map(suffix_of, parts)):
            return parts
    return None


def path_caution(column: Column) -> str:
    """Warn that the cells of a column (or of its lists), read as words, look like paths; empty if they do not."""
    sample = column.sample(LOOKED_AT)
    parts = [part for cell in sample for part in cell] if column.is_list else sample
    gaps = {part for part in {part for part in parts if isinstance(part, str)} if is_gap_word(part)}
    cells = [part for part in parts if isinstance(part, str) and part not in gaps]
    counts = Counter[str]()
    for cell, count in Counter(cells).items():
        if suffix := suffix_of((several_paths(cell) or [cell])[0]):
            counts[suffix] += count
    if not counts or counts.total() < MOSTLY * len(cells):
        return _caution_of_some(cells)
    shown = ", ".join(suffix for suffix, _ in counts.most_common(4)) + (" …" if len(counts) > 4 else "")
    cures = dict.fromkeys(_cure(suffix) for suffix, _ in counts.most_common(4))
    what = "paths of files of several kinds" if len(counts) > 1 else "paths of files"
    return f"the cells look like {what} ({shown}), which are not read: {'; '.join(cures)}"


def _caution_of_some(cells: list[str]) -> str:
    """Warn if some of the cells are file names, beside other words."""
    files = [
        cell
        for cell in cells
        if "." in cell and " " not in cell.strip() and suffix_of(cell).rpartition(".")[2] in CURES
    ]
    if len(files) < max(2, SOME * len(cells)):
        return ""
    part = f"{len(files):,} of {len(cells):,} sampled cells are paths of files, such as {files[0][:40]!r}"
    return f"{part}, and are read as words; put the paths into their own column to read the files"


def _cure(suffix: str) -> str:
    last = suffix.rpartition(".")[2]
    return CURES.get(last, "convert the files to a supported format, such as .png, .wav, .mp4, .pdf, .npy or .csv")
