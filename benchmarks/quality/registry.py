"""All peers, in the order of the table."""

from quality import deep_retrieval, ease, factorization, neighbours, popularity, quickstart, sasrec, warp

PEERS = (
    popularity.PEER,
    neighbours.PEER,
    ease.PEER,
    factorization.ALS,
    factorization.BPR,
    warp.PEER,
    quickstart.PEER,
    deep_retrieval.PEER,
    sasrec.PEER,
)
