{{ config(materialized='view') }}

with rejections as (

    select
        'prices' as dataset,
        session_date as day,
        symbol as subject,
        '' as detail,
        known_at::timestamptz as known_at,
        rule
    from {{ source('lake', 'quarantined_prices') }}
    union all
    select
        'actions' as dataset,
        session_date as day,
        symbol as subject,
        kind as detail,
        known_at::timestamptz as known_at,
        rule
    from {{ source('lake', 'quarantined_actions') }}
    union all
    select
        'macro' as dataset,
        observation_date as day,
        series_id as subject,
        '' as detail,
        known_at::timestamptz as known_at,
        rule
    from {{ source('lake', 'quarantined_macro') }}
    union all
    select
        'instruments' as dataset,
        known_at::timestamptz::date as day,
        symbol as subject,
        '' as detail,
        known_at::timestamptz as known_at,
        rule
    from {{ source('lake', 'quarantined_instruments') }}
    union all
    select
        'universe' as dataset,
        member_from as day,
        symbol as subject,
        universe as detail,
        known_at::timestamptz as known_at,
        rule
    from {{ source('lake', 'quarantined_universe') }}

)

select * from rejections
