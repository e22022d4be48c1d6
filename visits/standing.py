"""Which visits still stand: a correction or a return takes a record out of every count, whatever came in first."""


def standing(visit: str) -> str:
    """SQL condition on the alias of a visit: nothing corrects it and nobody returned it.

    Corrections are matched by UUID alone, so that one may come in before what it corrects.
    """
    return (
        f"NOT EXISTS (SELECT FROM visits_visit later WHERE later.corrects_id = {visit}.id)"
        f" AND NOT EXISTS (SELECT FROM visits_visitreturn sent WHERE sent.visit_id = {visit}.id)"
    )
