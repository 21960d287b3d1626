with source as (

    select * from {{ source('lake', 'macro') }}

),

renamed as (

    select
        source,
        series_id,
        observation_date,
        value,
        known_at::timestamptz as known_at,
        known_at_basis
    from source

),

known as (

    {{ known_versions('renamed', 'macro', ['source', 'series_id', 'observation_date']) }}

)

select * from known
order by series_id, observation_date, known_at
